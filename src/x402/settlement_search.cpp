#include "x402/settlement_search.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>
#include <portitor/x402/settlement_rules.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;
namespace json = boost::json;
using evm::rpc_error;

namespace {

// Of one search; the next one goes on.
constexpr std::size_t most_questions = 200;
// That one node of several behind a name lacks a block does not mean that none has it.
constexpr int most_tries = 3;
// What takes too long for so few blocks would for fewer, too.
constexpr std::uint64_t quick_blocks = 100;
// A machine whose clock is wrong by more is told of, and a node that lags so far is of no use.
constexpr std::uint64_t most_behind = 3'600;

settlement_finding cannot_tell(std::string why)
{
    settlement_finding out;
    out.why = std::move(why);
    return out;
}

settlement_finding cannot_tell(const rpc_error& why)
{
    return cannot_tell(why.message());
}

settlement_finding found(settlement_state state, std::uint64_t lacking = 0)
{
    settlement_finding out;
    out.state = state;
    out.lacking = lacking;
    return out;
}

template <typename T>
evm::rpc_result<T> as_answer(result<T> read)
{
    return read ? evm::rpc_result<T>(std::move(*read)) : evm::rpc_result<T>(rpc_error(read.error()));
}

/// Whether fewer blocks at a time may do: providers refuse in any number and words, some by HTTP alone, and a
/// list that is too long comes as no answer at all.
bool is_too_much(const rpc_error& why)
{
    return evm::is_lack(why) || why.code() == errc::protocol;
}

}  // namespace

std::optional<settlement_memory::progress> settlement_memory::find(const std::string& key) const
{
    const auto at = kept_.find(key);
    return at != kept_.end() ? std::optional(at->second.what) : std::nullopt;
}

void settlement_memory::keep(const std::string& key, progress what)
{
    kept_[key] = {++turn_, what};
    if (kept_.size() <= most_searches)
        return;
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& left, const auto& right) {
        return left.second.turn < right.second.turn;
    }));
}

settlement_search::settlement_search(
    settlement_node& with,
    settlement_memory& memory,
    const timekeeper& time,
    std::chrono::milliseconds timeout
)
    : with_(with), memory_(memory), time_(time), deadline_(time.now() + timeout)
{}

settlement_search::answer<json::value> settlement_search::ask(std::string method, json::array params)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - time_.now());
    if (left.count() <= 0)
        co_return rpc_error(fail(errc::timed_out, "{}: no time was left to ask the node", method));
    if (++questions_ > most_questions)
        co_return rpc_error(fail(errc::timed_out, "{}: the search takes too many questions", method));
    auto said = co_await with_.node.call_within(std::move(method), std::move(params), left);
    co_return said;
}

settlement_search::answer<evm::block> settlement_search::newest()
{
    const auto said = co_await ask("eth_getBlockByNumber", evm::params_of("latest", false));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_block(*said));
}

settlement_search::answer<std::optional<evm::block>> settlement_search::block_at(std::uint64_t number)
{
    const auto said = co_await ask("eth_getBlockByNumber", evm::params_of(evm::to_quantity(number), false));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_block_at(*said, number));
}

settlement_search::answer<settlement_search::usage> settlement_search::usage_at(std::uint64_t block)
{
    auto said = co_await ask("eth_call", about_->state_call(block));
    for (int tried = 1; tried < most_tries && !said && evm::is_lack(said.error()); ++tried)
        said = co_await ask("eth_call", about_->state_call(block));
    if (!said)
        co_return said.error();
    const auto used = about_->read_state(*said);
    if (!used)
        co_return rpc_error(used.error());
    co_return *used ? usage::used : usage::unused;
}

std::uint64_t settlement_search::lacking(std::uint64_t block) const
{
    const std::uint64_t has = head_.number - std::min(block, head_.number) + 1;
    return with_.confirmations - std::min(with_.confirmations, has);
}

std::optional<std::uint64_t> settlement_search::newest_confirmed() const
{
    const std::uint64_t behind = with_.confirmations - 1;
    return head_.number >= behind ? std::optional(head_.number - behind) : std::nullopt;
}

asio::awaitable<settlement_finding> settlement_search::find(
    const settlement_trace& about, std::string key, std::uint64_t since, std::uint64_t now
)
{
    about_ = &about;
    key_ = std::move(key);
    const auto head = co_await newest();
    if (!head)
        co_return cannot_tell(head.error());
    head_ = *head;
    behind_ = std::min(now - std::min(now, head_.timestamp), most_behind);
    const auto used = co_await usage_at(head_.number);
    if (!used)
        co_return cannot_tell(used.error());
    settlement_finding out;
    if (*used == usage::unused)
        out = co_await while_unused();
    else
        out = co_await search(since - std::min(since, behind_));
    co_return out;
}

// Dead only as of a block that no reorganisation takes back, and after which no other one can use it.
asio::awaitable<settlement_finding> settlement_search::while_unused()
{
    const auto number = newest_confirmed();
    if (!number || head_.timestamp <= about_->of().valid_before)
        co_return found(settlement_state::open);
    if (*number == head_.number)
        co_return found(settlement_state::dead);
    const auto block = co_await block_at(*number);
    if (!block)
        co_return cannot_tell(block.error());
    if (!*block)
        co_return cannot_tell("eth_getBlockByNumber: the node lacks a block before its latest one");
    if ((*block)->timestamp <= about_->of().valid_before)
        co_return found(settlement_state::open);
    const auto then = co_await usage_at(*number);
    if (!then)
        co_return cannot_tell(then.error());
    if (*then == usage::used)
        co_return cannot_tell("the node contradicts itself: used before, and unused now");
    co_return found(settlement_state::dead);
}

settlement_search::answer<settlement_memory::progress> settlement_search::begin(std::uint64_t since)
{
    if (auto known = memory_.find(key_))
        co_return *known;
    const auto early = static_cast<std::uint64_t>(mined_before_us.count());
    const auto first = co_await memory_.times.block_before(
        *this, since - std::min(since, early), head_.number, head_.timestamp
    );
    if (!first)
        co_return first.error();
    if (!*first)
        co_return rpc_error(fail(errc::protocol, "eth_getBlockByNumber: the node lacks older blocks"));
    co_return settlement_memory::progress{**first, **first};
}

asio::awaitable<settlement_finding> settlement_search::search(std::uint64_t since)
{
    const auto begun = co_await begin(since);
    if (!begun)
        co_return cannot_tell(begun.error());
    settlement_memory::progress at = *begun;
    // Behind by more than that is a node that lags.
    std::uint64_t next = std::min(at.next, head_.number);
    while (next <= head_.number)
    {
        window blocks{next, head_.number};
        auto events = co_await read_events(blocks);
        if (!events)
            co_return cannot_tell(events.error());
        auto end = co_await judge(std::move(*events));
        if (end)
            co_return *end;
        next = blocks.last + 1;
        // The newest blocks may yet change. What is untied has to be met again.
        at.next = std::max(at.next, std::min(next, newest_confirmed().value_or(0)));
        if (!untied_)
            memory_.keep(key_, at);
    }
    memory_.forget(key_);
    settlement_finding out = co_await after_all(at.first);
    co_return out;
}

/// As many of the blocks, from the first one on, as the node takes.
settlement_search::answer<std::vector<nonce_event>> settlement_search::read_events(window& blocks)
{
    // Only what is answered for fewer of the same blocks was refused for being too many: a node may as well
    // lack the newest one.
    evm::log_span span = memory_.span;
    const std::uint64_t all = blocks.last - blocks.first + 1;
    for (;;)
    {
        const std::uint64_t many = std::min(all, span.most());
        blocks.last = blocks.first + many - 1;
        const auto said = co_await ask("eth_getLogs", about_->logs_filter(blocks.first, blocks.last));
        if (said)
        {
            span.took(many);
            memory_.span = span;
            co_return as_answer(about_->read_events(*said));
        }
        span.refused(many);
        if (said.error().code() == errc::timed_out && many > quick_blocks)
            memory_.span = span;
        if (!is_too_much(said.error()))
            co_return said.error();
        if (many == 1)
            co_return rpc_error(fail(
                said.error().code(),
                "{}, even for one block: set rpcURL of the chain to a node that allows eth_getLogs",
                said.error().message()
            ));
    }
}

asio::awaitable<std::optional<settlement_finding>> settlement_search::judge(std::vector<nonce_event> events)
{
    for (const nonce_event& each : events)
    {
        auto end = co_await judge(each);
        if (end)
            co_return end;
    }
    co_return std::nullopt;
}

asio::awaitable<std::optional<settlement_finding>> settlement_search::judge(nonce_event event)
{
    if (event.canceled)
    {
        auto end = co_await judge_canceled(event);
        co_return end;
    }
    const auto receipt = co_await receipt_of(event);
    if (!receipt)
        co_return cannot_tell(receipt.error());
    evm::sent_call call;
    if (about_->needs_call())
    {
        auto asked = co_await call_of(event);
        if (!asked)
            co_return cannot_tell(asked.error());
        call = std::move(*asked);
    }
    const trace_word said = about_->judge(*receipt, call);
    untied_ = untied_ || said == trace_word::untied;
    if (said == trace_word::untied || said == trace_word::not_ours)
        co_return std::nullopt;
    if (said == trace_word::used_otherwise)
        co_return found(settlement_state::used_otherwise, lacking(event.block));
    const auto mined = co_await block_of(event, receipt->block_hash);
    if (!mined)
        co_return cannot_tell(mined.error());
    settlement_finding out = found(settlement_state::settled, lacking(event.block));
    out.transaction = evm::to_hex(event.transaction);
    out.mined_at = mined->timestamp + behind_;
    co_return out;
}

asio::awaitable<std::optional<settlement_finding>> settlement_search::judge_canceled(nonce_event event)
{
    if (event.may_be_late)
    {
        if (untied_)
            co_return cannot_tell("the nonce was withdrawn, perhaps after it had paid by another contract");
        const auto before = co_await usage_at(event.block - std::min<std::uint64_t>(event.block, 1));
        if (!before)
            co_return cannot_tell(before.error());
        if (*before == usage::used)
            co_return std::nullopt;
    }
    co_return found(settlement_state::canceled, lacking(event.block));
}

settlement_search::answer<evm::receipt> settlement_search::receipt_of(nonce_event event)
{
    const auto said =
        co_await ask("eth_getTransactionReceipt", evm::params_of(evm::to_hex(event.transaction)));
    if (!said)
        co_return said.error();
    auto read = evm::read_receipt(*said, event.transaction);
    if (!read)
        co_return rpc_error(read.error());
    // One that failed has no logs, so the node contradicts itself.
    if (!read->succeeded)
        co_return rpc_error(
            fail(errc::protocol, "the node's answer is not the receipt of a transaction that succeeded")
        );
    if (read->block && *read->block != event.block)
        co_return rpc_error(fail(errc::unavailable, "the transaction has moved to another block meanwhile"));
    co_return std::move(*read);
}

settlement_search::answer<evm::sent_call> settlement_search::call_of(nonce_event event)
{
    const auto said =
        co_await ask("eth_getTransactionByHash", evm::params_of(evm::to_hex(event.transaction)));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_sent_call(*said, event.transaction));
}

settlement_search::answer<evm::block>
settlement_search::block_of(nonce_event event, std::optional<evm::word> hash)
{
    evm::block out = head_;
    if (event.block != head_.number)
    {
        const auto asked = co_await block_at(event.block);
        if (!asked)
            co_return asked.error();
        if (!*asked)
            co_return rpc_error(fail(errc::unavailable, "eth_getBlockByNumber: the node lacks the block"));
        out = **asked;
    }
    if (hash && out.hash && *hash != *out.hash)
        co_return rpc_error(fail(errc::unavailable, "the chain was reorganised meanwhile"));
    co_return out;
}

/// The nonce is used, and no event since the payment's record began says for what.
asio::awaitable<settlement_finding> settlement_search::after_all(std::uint64_t first)
{
    if (untied_)
        co_return cannot_tell("a transfer by another contract may be this payment's, or another one's");
    if (first == 0)
        co_return cannot_tell("the nonce is used, but the node has no event of it");
    const auto before = co_await usage_at(first - 1);
    if (!before)
        co_return cannot_tell(fmt::format(
            "the nonce ended longer ago than the chain is searched, or the node lacks events ({})",
            before.error().message()
        ));
    if (*before == usage::unused)
        co_return cannot_tell("the nonce is used, but the node has no event of it");
    co_return found(settlement_state::used_before, lacking(first - 1));
}

}  // namespace portitor::x402
