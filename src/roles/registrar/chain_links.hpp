#pragma once

#include "roles/registrar/chain_reader.hpp"

#include <portitor/config/chains.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/node.hpp>

#include <chrono>
#include <compare>
#include <map>
#include <memory>
#include <optional>

namespace portitor::registrar {

/// A registry of one chain, by way of the chain's nodes. One strand.
class chain_link
{
public:
    chain_link(evm::node node, evm::address registry, const timekeeper& time);

    chain_reader& reader() { return reader_; }

    /// Whether the registry is one: asked until it was seen to be one.
    boost::asio::awaitable<evm::rpc_result<void>> check();

    /// An account's balance in wei, at most a few seconds old.
    boost::asio::awaitable<evm::rpc_result<u256>> balance(evm::address account);
    /// The last one that was seen, for who only wants to show it.
    const std::map<evm::address, u256>& balances() const { return balances_; }

private:
    evm::node node_;
    chain_reader reader_;
    const timekeeper& time_;
    bool checked_ = false;
    std::map<evm::address, u256> balances_;
    std::map<evm::address, timekeeper::time_point> asked_at_;
};

/// The links of all chains that are used. One strand; client and timekeeper must outlive it.
class chain_links
{
public:
    chain_links(http::client& client, const timekeeper& time, bool allow_http)
        : client_(client), time_(time), allow_http_(allow_http)
    {}

    /// @pre the chain has nodes. errc::invalid where one of their URLs is none.
    result<chain_link*> of(const config::chain& chain, std::uint64_t chain_id, const evm::address& registry);

    /// What an account had when a node was asked last.
    std::optional<u256> last_balance(std::uint64_t chain_id, const evm::address& account) const;

private:
    http::client& client_;
    const timekeeper& time_;
    bool allow_http_;
    std::map<std::pair<std::uint64_t, evm::address>, std::unique_ptr<chain_link>> links_;
};

}  // namespace portitor::registrar
