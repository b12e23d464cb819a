#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace portitor::evm {

/// A chain, as one of its nodes tells it: of several URLs the first that answers is asked, until it fails. A
/// node is trusted only once it has said that it is one of this chain, and so again after each failure of
/// its. One strand, the client's; client and timekeeper must outlive this.
class node
{
public:
    /// errc::invalid where there is no URL, or one is none.
    static result<node> make(
        http::client& client,
        const timekeeper& time,
        std::uint64_t chain_id,
        std::span<const std::string> urls,
        rpc_transport allowed = rpc_transport::https_only
    );

    std::uint64_t chain_id() const { return chain_id_; }

    /// As json_rpc::ask(), of each URL in turn until one answers, so that it takes `timeout` for each at
    /// most. What a node refuses is its answer, unless it is short of room or time: the next one is asked
    /// then. errc::invalid with rpc_refusal::wrong_chain:
    /// all that can be reached are of another chain. The error is that of the last one.
    boost::asio::awaitable<rpc_result<boost::json::value>>
    call(std::string method, boost::json::array params, std::chrono::milliseconds timeout);

    /// The same, but all of it ends by `timeout`: each URL but the last one has half of what is left.
    boost::asio::awaitable<rpc_result<boost::json::value>>
    call_within(std::string method, boost::json::array params, std::chrono::milliseconds timeout);

    /// Of the URL that was asked last, from 0: for logs and tests.
    std::size_t current() const { return current_; }

private:
    struct endpoint
    {
        json_rpc rpc;
        bool is_of_chain = false;  ///< it said so, and has not failed since
    };

    node(const timekeeper& time, std::uint64_t chain_id) : time_(&time), chain_id_(chain_id) {}

    /// How long the next URL is asked, where so many are left.
    using patience = std::function<std::chrono::milliseconds(std::size_t left)>;

    boost::asio::awaitable<rpc_result<boost::json::value>>
    ask_in_turn(std::string method, boost::json::array params, patience limit);
    boost::asio::awaitable<rpc_result<boost::json::value>>
    ask(std::size_t which, std::string method, boost::json::array params, std::chrono::milliseconds timeout);
    boost::asio::awaitable<rpc_result<void>>
    check_chain(std::size_t which, std::chrono::milliseconds timeout);
    void return_to_first();

    const timekeeper* time_;
    std::uint64_t chain_id_;
    std::vector<endpoint> endpoints_{};
    std::size_t current_ = 0;
    timekeeper::time_point left_first_{};  ///< when the first URL was given up
};

}  // namespace portitor::evm
