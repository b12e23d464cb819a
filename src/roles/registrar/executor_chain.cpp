#include "roles/registrar/executor.hpp"

#include <algorithm>

// What the executor asks the chain.
namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds longest_pause = std::chrono::minutes(1);
constexpr std::chrono::seconds hiccup(5);

/// Puts an answer where it belongs.
template <typename T, typename Into>
evm::rpc_result<void> keep(evm::rpc_result<T> answer, Into& into)
{
    if (!answer)
        return answer.error();
    into = std::move(*answer);
    return {};
}

/// Of each of these transactions, in this order.
asio::awaitable<evm::rpc_result<std::vector<std::optional<evm::receipt>>>>
find_receipts(chain_reader& chain, std::vector<evm::word> hashes)
{
    std::vector<std::optional<evm::receipt>> out;
    for (const evm::word& hash : hashes)
    {
        auto one = co_await chain.find_receipt(hash);
        if (!one)
            co_return one.error();
        out.push_back(std::move(*one));
    }
    co_return out;
}

}  // namespace

asio::awaitable<result<executor::outcome>> executor::answer(pass* of, ask what)
{
    const auto about = what.what;
    auto asked = co_await of->link->check();
    if (asked)
        asked = co_await look_up(of, std::move(what));
    const auto failed = failing_.find(of->request.meta.key());
    if (!asked)
    {
        if (failed == failing_.end())
            failing_[of->request.meta.key()].question = about;
        co_return co_await cannot_ask(of, asked.error());
    }
    if (failed != failing_.end() && failed->second.question == about)
        failing_.erase(failed);
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
        std::chrono::seconds(1) * (1U << std::min(known.count - 1, 6U)), longest_pause
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
    case about::receipts:
        co_return keep(co_await find_receipts(chain, of->status.under_way->hashes), known.receipts);
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
    case about::known:
        co_return keep(co_await chain.knows(of->status.under_way->hashes.back()), known.known);
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

}  // namespace portitor::registrar
