#include "roles/registrar/chain_links.hpp"

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds answer_limit(10);
constexpr std::chrono::seconds balance_lasts(30);

}  // namespace

chain_link::chain_link(evm::node node, evm::address registry, const timekeeper& time)
    : node_(std::move(node)), reader_(node_, registry, answer_limit), time_(time)
{}

asio::awaitable<evm::rpc_result<void>> chain_link::check()
{
    if (checked_)
        co_return evm::rpc_result<void>();
    auto seen = co_await reader_.check_registry();
    checked_ = seen.has_value();
    co_return seen;
}

asio::awaitable<evm::rpc_result<u256>> chain_link::balance(evm::address account)
{
    const auto asked = asked_at_.find(account);
    if (asked != asked_at_.end() && time_.now() - asked->second < balance_lasts)
        co_return balances_.at(account);
    auto seen = co_await reader_.balance(account);
    if (seen)
    {
        balances_[account] = *seen;
        asked_at_[account] = time_.now();
    }
    co_return seen;
}

std::optional<u256> chain_links::last_balance(std::uint64_t chain_id, const evm::address& account) const
{
    for (const auto& [where, link] : links_)
    {
        const auto known = link->balances().find(account);
        if (where.first == chain_id && known != link->balances().end())
            return known->second;
    }
    return std::nullopt;
}

result<chain_link*>
chain_links::of(const config::chain& chain, std::uint64_t chain_id, const evm::address& registry)
{
    auto& known = links_[{chain_id, registry}];
    if (!known)
    {
        auto node = evm::node::make(
            client_,
            time_,
            chain_id,
            chain.rpc_urls,
            allow_http_ ? evm::rpc_transport::http_too : evm::rpc_transport::https_only
        );
        if (!node)
            return node.error().within("chain " + chain.name);
        known = std::make_unique<chain_link>(std::move(*node), registry, time_);
    }
    return known.get();
}

}  // namespace portitor::registrar
