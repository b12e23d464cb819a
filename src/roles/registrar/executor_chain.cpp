#include "roles/registrar/executor.hpp"

#include <portitor/evm/hex.hpp>

#include <algorithm>

// What the executor has to do with the chain: questions, signing and sending.
namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds just_sent(500);
constexpr std::chrono::seconds signer_comes(30);
constexpr std::chrono::milliseconds somebody_helps = std::chrono::minutes(1);
constexpr std::chrono::minutes foreign_schema_goes(5);
constexpr std::chrono::seconds hiccup(5);
constexpr std::size_t most_remembered = 10'000;  // transactions

u256 most_of(const evm::transaction& what)
{
    return what.max_fee * what.gas_limit;
}

u256 most_of(const evm::bytes& raw)
{
    const auto sent = evm::read_signed(raw);
    return sent ? most_of(*sent) : u256();
}

purpose purpose_of(operation what)
{
    return what == operation::retire ? purpose::retirement : purpose::change;
}

/// Puts an answer where it belongs.
template <typename T, typename Into>
evm::rpc_result<void> keep(evm::rpc_result<T> answer, Into& into)
{
    if (!answer)
        return answer.error();
    into = std::move(*answer);
    return {};
}

}  // namespace

asio::awaitable<result<executor::outcome>> executor::answer(pass* of, ask what)
{
    const auto about = what.what;
    auto asked = co_await of->link->check();
    if (asked)
        asked = co_await look_up(of, std::move(what));
    if (!asked)
        co_return co_await cannot_ask(of, asked.error());
    if (about == ask::about::mined_nonces && holds_nonce(of->status) &&
        *of->facts.mined_nonces > of->status.under_way->nonce)
        receptions_[of->status.under_way->hashes.back()].nonce_gone = true;
    co_return outcome{true};
}

/// A node that is down for a moment is not worth a word. What goes on is asked less and less often, of this
/// request: others may be better off.
asio::awaitable<result<executor::outcome>> executor::cannot_ask(pass* of, evm::rpc_error failure)
{
    failing& known = failing_[of->request.meta.key()];
    if (known.count++ == 0)
        known.since = now();
    const std::chrono::milliseconds pause = std::min<std::chrono::milliseconds>(
        std::chrono::seconds(1) * (1U << std::min(known.count - 1, 6U)), somebody_helps
    );
    const std::string& chain = of->allowed.chain->name;
    if (failure.refusal() == evm::rpc_refusal::wrong_chain)
        co_return co_await say(of, "WrongChain", fmt::format("{}: {}", chain, failure.message()), pause);
    if (failure.code() == errc::invalid)
        co_return co_await say(of, "NoRegistry", fmt::format("{}: {}", chain, failure.message()), pause);
    if (failure.refusal() == evm::rpc_refusal::insufficient_funds)
        co_return co_await say(
            of,
            "LowBalance",
            fmt::format(
                "account {} cannot pay for what it is to send on {}; send it more",
                of->address.to_checksum(),
                chain
            ),
            pause
        );
    if (now() - known.since < hiccup)
        co_return outcome{false, pause};
    if (failure.code() == errc::refused)
        co_return co_await say(
            of,
            "Refused",
            fmt::format(
                "the node of {} does not answer a question ({})", chain, to_string(failure.refusal())
            ),
            pause
        );
    co_return co_await say(
        of,
        "NodeUnreachable",
        fmt::format(
            "no node of {} answers as it should ({}); it is asked again", chain, to_string(failure.code())
        ),
        pause
    );
}

asio::awaitable<evm::rpc_result<void>> executor::look_up(pass* of, ask what)
{
    chain_facts& known = of->facts;
    chain_reader& chain = of->link->reader();
    using about = ask::about;
    switch (what.what)
    {
    case about::head:
        co_return keep(co_await chain.head(), known.head);
    case about::receipts: {
        std::vector<std::optional<evm::receipt>> all;
        for (const evm::word& hash : of->status.under_way->hashes)
        {
            auto one = co_await chain.find_receipt(hash);
            if (!one)
                co_return one.error();
            all.push_back(std::move(*one));
        }
        known.receipts = std::move(all);
        break;
    }
    case about::block_hash:
        known.block_hash_of = what.block;
        co_return keep(co_await chain.block_hash(what.block), known.block_hash);
    case about::mined_nonces:
        co_return keep(co_await chain.mined_nonces(of->address), known.mined_nonces);
    case about::taker: {
        const write_ahead& record = *of->status.under_way;
        co_return keep(
            co_await chain.find_taker(record.account, record.nonce, record.from_block, known.head->number),
            known.taker
        );
    }
    case about::earlier:
        // A record is left behind only now: the offer's age counts from here on.
        if (auto found = co_await find_offer(of); !found)
            co_return found.error();
        co_return keep(
            co_await chain.find_earlier(of->address, uri_end_of(of->request), of->not_before, *known.head),
            known.earlier
        );
    case about::agent:
        co_return keep(co_await chain.find_agent(what.agent_id), known.agent);
    case about::metadata:
        co_return keep(co_await chain.metadata(what.agent_id, what.key), known.metadata[what.key]);
    case about::estimate: {
        auto gas = co_await chain.estimate(of->address, std::move(what.data));
        if (!gas && gas.error().refusal() == evm::rpc_refusal::reverted)
            known.revert = gas.error().revert();
        else
            co_return keep(std::move(gas), known.gas);
        break;
    }
    case about::priority_fee:
        co_return keep(co_await chain.priority_fee(), known.priority_fee);
    case about::balance:
        co_return keep(co_await of->link->balance(of->address), known.balance);
    }
    co_return evm::rpc_result<void>();
}

asio::awaitable<result<executor::outcome>> executor::sign_and_send(pass* of, prepare what)
{
    const config::chain& chain = *of->allowed.chain;
    const spending_limits limits{chain.daily_transactions, chain.daily_spend};
    const std::string ns = of->request.meta.ns;
    const purpose why = purpose_of(what.what);
    const u256 most = most_of(what.transaction);
    if (!what.replaces)
    {
        if (auto may = of->account->spent().may_spend(limits, ns, why, most, around_.wall.now()); !may)
            co_return co_await say(of, "LimitReached", may.error().message(), somebody_helps);
    }
    auto made = co_await of->signer->sign(what.transaction);
    if (!made)
        co_return co_await say(of, "NoKey", made.error().message(), signer_comes);
    request_status status = of->status;
    write_ahead record = what.replaces ? *status.under_way : write_ahead();
    const u256 booked = what.replaces ? most_of(record.raw) : u256();
    record.what = what.what;
    record.key = what.key;
    record.account = of->address;
    record.nonce = what.transaction.nonce;
    record.from_block = what.from_block;
    record.hashes.push_back(made->hash);
    record.attempt = record.hashes.size();
    record.raw = std::move(made->raw);
    record.started_at = now();
    record.in_block.reset();
    record.confirmed = false;
    if (what.cancels)
        record.canceled_from = record.attempt;
    status.under_way = std::move(record);
    status.sent_at = now();
    if (!what.cancels)
        status.transaction = made->hash;
    if (what.previous_uri)
        status.previous_uri = std::move(what.previous_uri);
    status.phase = api::registration_phase::submitted;
    status.reason = what.replaces ? "Replaced" : "Submitted";
    status.message = fmt::format(
        "transaction {} ({}, nonce {}) is sent{}",
        evm::to_hex(made->hash),
        to_string(what.what),
        what.transaction.nonce,
        what.replaces ? " in place of one that waits" : ""
    );
    // The account's Lease is written first, as a proof that this process still has it.
    const auto when = around_.wall.now();
    auto counted = co_await of->account->update([&](ledger& numbers) {
        if (what.replaces)
            numbers.book_more(ns, why, most > booked ? u256(most - booked) : u256(), when);
        else
            numbers.book(ns, why, most, when);
    });
    if (!counted)
        co_return counted.error();
    if (auto written = co_await write_status(of, std::move(status)); !written)
    {
        const errc failure = written.error().code();
        // Otherwise nobody knows whether it was written.
        const bool is_refused = failure == errc::conflict || failure == errc::protocol ||
                                failure == errc::invalid || failure == errc::refused;
        if (is_refused && !what.replaces)
            of->account->note([&](ledger& numbers) { numbers.take_back(ns, why, most, when); });
        if (failure == errc::protocol)
            co_return co_await say(of, "ForeignSchema", written.error().message(), foreign_schema_goes);
        co_return written.error();
    }
    around_.news.sent(chain.name, what.what, what.replaces);
    co_return co_await send(of);
}

asio::awaitable<result<executor::outcome>> executor::send(pass* of)
{
    const evm::bytes raw = of->status.under_way->raw;
    if (receptions_.size() >= most_remembered)
        receptions_.clear();
    const evm::word hash = of->status.under_way->hashes.back();
    receptions_[hash].sent = now();
    of->facts = {};
    auto sent = co_await of->link->reader().send(raw);
    const auto why = sent || sent.error().code() != errc::refused ? evm::rpc_refusal::already_known
                                                                  : sent.error().refusal();
    reception& known = receptions_[hash];
    using refusal = evm::rpc_refusal;
    const bool for_good = why == refusal::permanent || why == refusal::reverted || why == refusal::unknown;
    if (!for_good)
        known.refused_since.reset();
    else if (!known.refused_since)
        known.refused_since = now();
    known.too_cheap = why == refusal::replacement_underpriced || why == refusal::underpriced;
    co_return co_await tell_refusal(of, why);
}

/// It has it, or may have it, and the next look tells; or somebody has to do something.
asio::awaitable<result<executor::outcome>> executor::tell_refusal(pass* of, evm::rpc_refusal why)
{
    using refusal = evm::rpc_refusal;
    const std::string& chain = of->allowed.chain->name;
    const evm::word hash = of->status.under_way->hashes.back();
    if (why == refusal::insufficient_funds)
        co_return co_await say(
            of,
            "LowBalance",
            fmt::format(
                "account {} cannot pay for its transaction on {}; send it more",
                of->address.to_checksum(),
                chain
            ),
            signer_comes
        );
    if (why == refusal::wrong_chain)
        co_return co_await say(
            of, "WrongChain", fmt::format("the node of {} is one of another chain", chain), somebody_helps
        );
    if (why == refusal::permanent || why == refusal::reverted)
        co_return co_await say(
            of,
            "Refused",
            fmt::format(
                "the node of {} refuses transaction {} ({})", chain, evm::to_hex(hash), to_string(why)
            ),
            signer_comes
        );
    co_return outcome{false, just_sent};
}

/// A transaction of the account is in a block: its nonce is gone, and what it cost is known.
void executor::count_mined(const pass& of, const request_status& now_told)
{
    if (!holds_nonce(of.status) || holds_nonce(now_told))
        return;
    const write_ahead& record = *of.status.under_way;
    u256 unspent = most_of(record.raw);
    if (of.facts.receipts)
    {
        for (const auto& each : *of.facts.receipts)
        {
            if (each)
                unspent -= std::min<u256>(unspent, each->gas_used * each->gas_price + each->l1_fee);
        }
    }
    const std::string ns = of.request.meta.ns;
    of.account->note([&](ledger& numbers) {
        numbers.saw_mined(record.nonce);
        numbers.give_back(ns, purpose_of(record.what), unspent, record.started_at);
    });
}

}  // namespace portitor::registrar
