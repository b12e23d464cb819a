#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/http.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <string_view>

namespace portitor::http {

/// What a handler answers.
struct reply
{
    explicit reply(response answer, std::function<void(bool delivered)> when_written = {})
        : message(std::move(answer)), on_written(std::move(when_written))
    {}

    response message;
    /// Called once, after the answer was written to a connection that was still open (true) or was not
    /// (false).
    std::function<void(bool delivered)> on_written;
};

/// Answers one request. Exceptions become a 500 without details; the handler may suspend for as long as it
/// likes. The request outlives the coroutine.
using handler = std::function<boost::asio::awaitable<reply>(const request&)>;

struct server_limits
{
    std::size_t max_header = 64 * 1024;
    std::size_t max_body = 64 * 1024;
    std::size_t max_connections = 8192;
    std::chrono::seconds idle{120};  ///< between requests; longer than the 90 s that Go's clients keep one
    std::chrono::seconds read_request{15};  ///< from a request's first byte to its last
    std::chrono::seconds write_reply{15};
};

/// An HTTP/1.1 server on one listening socket. One strand.
class server
{
public:
    server(boost::asio::any_io_executor executor, logger log, handler answer, server_limits limits = {});
    ~server();

    /// Binds "host:port", ":port" or "port" (all addresses). errc::invalid for anything else, errc::refused
    /// with the reason when the address cannot be had. Port 0 takes a free one.
    result<void> listen(std::string_view endpoint);

    std::uint16_t port() const;

    /// Accepts connections until drain() is called.
    boost::asio::awaitable<void> run();

    /// Stops accepting, closes idle connections, lets running requests finish for at most `limit`, then
    /// cancels.
    boost::asio::awaitable<void> drain(std::chrono::milliseconds limit);

private:
    class session;

    logger log_;
    handler answer_;
    server_limits limits_;
    boost::asio::ip::tcp::acceptor acceptor_;
    task_group sessions_;
    std::list<session*> open_;
    bool draining_ = false;
};

}  // namespace portitor::http
