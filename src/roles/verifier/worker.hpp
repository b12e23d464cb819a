#pragma once

#include "roles/verifier/fronts/forward_auth.hpp"

#include <portitor/core/stop_signal.hpp>
#include <portitor/http/server.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <optional>
#include <string>
#include <thread>

namespace portitor::verifier {

/// A thread that serves connections, with everything that one thread alone uses: context, server, scratch
/// memory. Others reach it through its executor only. The objects that it refers to must outlive it.
class worker
{
public:
    /// `failed` is called on the worker's thread when something throws on it: a broken invariant.
    worker(logger log, std::function<void(std::string)> failed);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    boost::asio::io_context& context() { return context_; }

    /// Makes the server, and listens. Before start().
    result<void> listen(
        const std::string& endpoint,
        bool share_port,
        const std::optional<http::server_tls>& tls,
        const published<route::route_table>& routes,
        const till& counter,
        const cors_policy& cors,
        metrics& numbers
    );

    std::uint16_t port() const { return server_->port(); }

    void start();

    /// Another certificate for the connections to come; logged when it cannot be used. Any thread.
    void use_tls(http::server_tls identity);

    /// Stops accepting and returns when all that runs has been answered, or has been canceled after `limit`.
    /// From a coroutine on another thread.
    boost::asio::awaitable<void> drain(std::chrono::milliseconds limit);

    /// Returns when the thread has ended. After drain().
    void join();

    /// Ends the thread, whatever it is doing.
    void stop();

private:
    void run();

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{context_.get_executor()};
    logger log_;
    std::function<void(std::string)> failed_;
    task_group tasks_{context_.get_executor(), log_};
    std::optional<forward_auth> front_;
    std::optional<http::server> server_;
    std::thread thread_;
};

}  // namespace portitor::verifier
