#include "x402/settlement_chain_messages.hpp"

#include <portitor/x402/settlement_chain.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

settlement_finding cannot_tell(std::string why)
{
    settlement_finding out;
    out.why = std::move(why);
    return out;
}

settlement_finding found(settlement_state state, std::string transaction = {})
{
    settlement_finding out;
    out.state = state;
    out.transaction = std::move(transaction);
    return out;
}

// The chain id that a CAIP-2 name of the EVM holds; empty for another chain.
std::optional<u256> chain_id_of(std::string_view network)
{
    constexpr std::string_view prefix = "eip155:";
    if (!network.starts_with(prefix))
        return std::nullopt;
    const auto id = parse_u256(network.substr(prefix.size()));
    return id ? std::optional<u256>(*id) : std::nullopt;
}

}  // namespace

const char* to_string(settlement_state state) noexcept
{
    switch (state)
    {
    case settlement_state::settled:
        return "settled";
    case settlement_state::canceled:
        return "canceled";
    case settlement_state::used_otherwise:
        return "used_otherwise";
    case settlement_state::used_before:
        return "used_before";
    case settlement_state::open:
        return "open";
    case settlement_state::dead:
        return "dead";
    case settlement_state::cannot_tell:
        return "cannot_tell";
    }
    return "cannot_tell";
}

// Some questions to one node, that end together.
class rpc_settlement_chain::session
{
public:
    session(node& with, const timekeeper& time, std::chrono::milliseconds timeout)
        : node_(with), time_(time), deadline_(time.now() + timeout)
    {}

    asio::awaitable<result<json::value>> ask(std::string method, json::array params)
    {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - time_.now());
        if (left.count() <= 0)
            co_return fail(errc::timed_out, "no time was left to ask the node");
        auto answer = co_await node_.rpc.call(std::move(method), std::move(params), left);
        co_return answer;
    }

    // Another chain may well hold the same addresses, and would tell that nothing was settled.
    asio::awaitable<result<void>> check_chain(std::string network)
    {
        if (node_.right_chain)
            co_return result<void>();
        const auto answer = co_await ask("eth_chainId", json::array());
        if (!answer)
            co_return answer.error();
        const json::string* text = answer->if_string();
        const auto told = text != nullptr
                              ? evm::parse_quantity({text->data(), text->size()})
                              : result<u256>(fail(errc::protocol, "eth_chainId: the answer is no string"));
        if (!told)
            co_return told.error();
        const auto expected = chain_id_of(network);
        if (!expected || *told != *expected)
            co_return fail(
                errc::invalid, "the node configured for {} is one of chain {}", network, to_string(*told)
            );
        node_.right_chain = true;
        co_return result<void>();
    }

    asio::awaitable<settlement_finding>
    look_up(authorization_query about, std::string network, settlement_chain_limits limits)
    {
        const auto right = co_await check_chain(std::move(network));
        if (!right)
            co_return cannot_tell(right.error().message());

        // The state as of that very block: it may be dead only if no later one is meant.
        const auto block = co_await ask_block("latest");
        if (!block)
            co_return cannot_tell(block.error().message());

        const auto called = co_await ask("eth_call", authorization_state_call(about, block->number));
        const auto over = called ? read_authorization_state(*called) : result<bool>(called.error());
        if (!over)
            co_return cannot_tell(over.error().message());
        if (!*over)
        {
            const auto margin = static_cast<std::uint64_t>(limits.reorganization.count());
            const bool late = block->timestamp >= margin && about.valid_before <= block->timestamp - margin;
            co_return found(late ? settlement_state::dead : settlement_state::open);
        }

        settlement_finding end = co_await look_up_end(std::move(about), *block, limits.blocks);
        co_return end;
    }

private:
    asio::awaitable<result<evm::block>> ask_block(std::string which)
    {
        json::array params;
        params.emplace_back(std::move(which));
        params.emplace_back(false);
        const auto answer = co_await ask("eth_getBlockByNumber", std::move(params));
        if (!answer)
            co_return answer.error();
        co_return evm::read_block(*answer);
    }

    asio::awaitable<settlement_finding>
    look_up_end(authorization_query about, evm::block latest, std::uint64_t blocks)
    {
        const std::uint64_t first = latest.number - std::min(latest.number, blocks);
        const auto logs = co_await ask("eth_getLogs", authorization_logs_filter(about, first, latest.number));
        if (!logs)
            co_return cannot_tell(logs.error().message());
        const auto end = read_authorization_logs(about, *logs);
        if (!end)
            co_return cannot_tell(end.error().message());
        if (!*end)
            co_return cannot_tell("the authorization ended longer ago than the chain is searched");
        const authorization_end& how = **end;
        if (how.canceled)
            co_return found(settlement_state::canceled);

        json::array which;
        which.emplace_back(how.transaction);
        const auto receipt = co_await ask("eth_getTransactionReceipt", std::move(which));
        if (!receipt)
            co_return cannot_tell(receipt.error().message());
        const auto paid = read_transfer(about, how.transaction, *receipt);
        if (!paid)
            co_return cannot_tell(paid.error().message());
        if (!*paid)
            co_return found(settlement_state::used_otherwise);

        evm::block mined = latest;
        if (how.block != latest.number)
        {
            const auto asked = co_await ask_block(evm::to_quantity(how.block));
            if (!asked)
                co_return cannot_tell(asked.error().message());
            if (asked->number != how.block)
                co_return cannot_tell("eth_getBlockByNumber: the answer is about another block");
            mined = *asked;
        }
        settlement_finding out = found(settlement_state::settled, how.transaction);
        out.mined_at = mined.timestamp;
        co_return out;
    }

    node& node_;
    const timekeeper& time_;
    timekeeper::time_point deadline_;
};

rpc_settlement_chain::rpc_settlement_chain(
    std::map<std::string, evm::json_rpc> nodes, const timekeeper& time, const settlement_chain_limits& limits
)
    : time_(time), limits_(limits)
{
    for (auto& [network, rpc] : nodes)
        nodes_.emplace(network, node{std::move(rpc)});
}

rpc_settlement_chain::~rpc_settlement_chain() = default;

asio::awaitable<settlement_finding> rpc_settlement_chain::find(
    const payment& offered,
    const payment_requirement& wanted,
    std::uint64_t,
    std::chrono::milliseconds timeout
)
{
    auto about = make_authorization_query(offered, wanted);
    if (!about)
        co_return cannot_tell("only EIP-3009 payments can be looked up");
    const auto with = nodes_.find(wanted.network);
    if (with == nodes_.end())
        co_return cannot_tell("no node of " + wanted.network + " is configured");
    session asking(with->second, time_, timeout);
    settlement_finding out = co_await asking.look_up(*std::move(about), wanted.network, limits_);
    co_return out;
}

asio::awaitable<result<bool>>
rpc_settlement_chain::has_code(std::string network, evm::address account, std::chrono::milliseconds timeout)
{
    const auto with = nodes_.find(network);
    if (with == nodes_.end())
        co_return fail(errc::not_found, "no node of {} is configured", network);
    session asking(with->second, time_, timeout);
    const auto right = co_await asking.check_chain(network);
    if (!right)
        co_return right.error();
    json::array which;
    which.emplace_back(account.to_string());
    which.emplace_back("latest");
    const auto answer = co_await asking.ask("eth_getCode", std::move(which));
    if (!answer)
        co_return answer.error();
    const json::string* code = answer->if_string();
    if (code == nullptr || !evm::is_hex({code->data(), code->size()}))
        co_return fail(errc::protocol, "eth_getCode: the answer is no code");
    co_return code->size() > 2;
}

}  // namespace portitor::x402
