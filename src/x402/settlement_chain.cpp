#include "x402/settlement_search.hpp"
#include "x402/settlement_trace.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/payment_key.hpp>
#include <portitor/x402/settlement_chain.hpp>

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

// Until blocks were seen they are taken for slow ones.
constexpr std::chrono::milliseconds usual_block_time(12'000);

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

struct rpc_settlement_chain::chain
{
    settlement_node with;
    settlement_memory memory{};
};

rpc_settlement_chain::rpc_settlement_chain(
    std::map<std::string, settlement_node> nodes, const clock& wall_clock, const timekeeper& time
)
    : clock_(wall_clock), time_(time)
{
    for (auto& [network, with] : nodes)
        chains_.emplace(network, std::make_unique<chain>(chain{std::move(with)}));
}

rpc_settlement_chain::~rpc_settlement_chain() = default;

asio::awaitable<settlement_finding> rpc_settlement_chain::find(
    const payment& offered,
    const payment_requirement& wanted,
    std::uint64_t since,
    std::chrono::milliseconds timeout
)
{
    const auto trace = make_settlement_trace(offered, wanted);
    if (!trace)
        co_return cannot_tell("only EIP-3009 and Permit2 payments can be looked up");
    const auto at = chains_.find(wanted.network);
    if (at == chains_.end())
        co_return cannot_tell("no node of " + wanted.network + " is configured: chains, rpcURL");
    chain& on = *at->second;
    settlement_search search(on.with, on.memory, time_, timeout);
    std::string key = key_of(offered, wanted).text();
    settlement_finding out = co_await search.find(*trace, std::move(key), since, unix_seconds(clock_.now()));
    co_return out;
}

asio::awaitable<result<bool>>
rpc_settlement_chain::has_code(std::string network, evm::address account, std::chrono::milliseconds timeout)
{
    const auto at = chains_.find(network);
    if (at == chains_.end())
        co_return fail(errc::not_found, "no node of {} is configured", network);
    const auto answer = co_await at->second->with.node.call_within(
        "eth_getCode", evm::params_of(account.to_string(), "latest"), timeout
    );
    if (!answer)
        co_return answer.error().to_error();
    const json::string* code = answer->if_string();
    if (code == nullptr || !evm::is_hex({code->data(), code->size()}))
        co_return fail(errc::protocol, "eth_getCode: the answer is no code");
    co_return code->size() > 2;
}

bool rpc_settlement_chain::checks_receipts(std::string_view network) const
{
    const auto at = chains_.find(network);
    return at != chains_.end() && at->second->with.checks_receipts;
}

std::optional<std::chrono::seconds> rpc_settlement_chain::confirmation_time(std::string_view network) const
{
    const auto at = chains_.find(network);
    if (at == chains_.end())
        return std::nullopt;
    const auto block = at->second->memory.times.block_time().value_or(usual_block_time);
    return std::chrono::ceil<std::chrono::seconds>(block * at->second->with.confirmations);
}

}  // namespace portitor::x402
