#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/http/message.hpp>
#include <portitor/http/response_writer.hpp>
#include <portitor/http/server_request.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace portitor::http {

class peer_shares;

/// Called once, whatever happens: after the answer was written to a connection whose peer was there (true),
/// or when it is sure that it was not (false). A peer that has ended what it sends (FIN, TLS close_notify)
/// counts as gone, with bytes unread before that end or not, and is written nothing: nobody can tell one that
/// still reads from one that has left, and an answer that is paid for must not be counted as read by one that
/// has. It may ask again. Without a listener the answer is written all the same: a half-closed client then
/// reads it.
using delivery_listener = std::function<void(bool delivered)>;

/// Writes the answer of one request, and says who wants to know whether it arrived. May suspend for as long
/// as it likes; it begins once all answers before it are written.
using pending_answer = boost::asio::awaitable<delivery_listener>;

/// Answers one request: writes the answer at once and returns nothing, or returns the coroutine that writes
/// it; what had been written before is dropped then. Request and writer outlive that coroutine. An exception,
/// or no answer, becomes a 500 without details.
using handler = std::function<std::optional<pending_answer>(const server_request&, response_writer&)>;

/// An answer as a message.
struct reply
{
    reply() = default;
    explicit reply(response answer, delivery_listener when_written = {})
        : message(std::move(answer)), on_written(std::move(when_written))
    {}

    response message;
    delivery_listener on_written;
};

/// Answers each request with a message; as a handler's coroutine.
using message_handler = std::function<boost::asio::awaitable<reply>(const server_request&)>;

struct server_limits
{
    std::size_t max_header = 64 * 1024;
    std::size_t max_body = 64 * 1024;
    /// Of these one peer (an IPv4 address, or the first half of an IPv6 address) may have all while no more
    /// than half are taken, and from then on fewer than half as many as are left free: a gateway has room
    /// enough, and nobody has all.
    std::size_t max_connections = 8192;
    std::size_t max_tls_connections = 2048;  ///< the same with TLS, whose buffers are some 50 kB for each
    /// Bytes that requests which are not whole hold together. Above it the largest one ends, the oldest of
    /// equals.
    std::size_t max_unfinished = 32 * 1024 * 1024;
    std::chrono::milliseconds idle{
        120'000};  ///< between requests; longer than the 90 s that Go's clients keep one
    std::chrono::milliseconds read_request{15'000};  ///< from a request's first byte to its last
    std::chrono::milliseconds write_reply{15'000};
};

/// Certificate chain and private key, PEM texts.
struct server_tls
{
    std::string certificate;
    std::string private_key;
};

/// An HTTP/1.1 server, plain or with TLS 1.2 and 1.3, on one listening socket and one thread: the one that
/// runs its context, which must be constructed with a concurrency hint of 1 or run by one thread. Idle plain
/// connections hold no buffers. Limits are kept by one clock for all connections, a quarter of the shortest
/// limit (at most a second) late.
class server
{
public:
    server(boost::asio::io_context& context, logger log, handler answer, server_limits limits = {});
    server(boost::asio::io_context& context, logger log, message_handler answer, server_limits limits = {});
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Binds "host:port", ":port" or "port" (every address, of IPv6 and IPv4; of IPv4 alone where the machine
    /// has no IPv6). errc::invalid for anything else, errc::refused
    /// with the reason when the address cannot be had. Port 0 takes a free one. With `share_port` other
    /// servers of this process may listen on the same port (SO_REUSEPORT): the kernel spreads connections.
    result<void> listen(std::string_view endpoint, bool share_port = false);

    std::uint16_t port() const;

    /// Speaks TLS from the next connection on, or with another certificate. errc::invalid when they cannot be
    /// read or do not fit each other: then nothing changes.
    result<void> use_tls(const server_tls& identity);

    /// Accepts connections until drain() is called.
    boost::asio::awaitable<void> run();

    /// Stops accepting, closes idle connections, lets running requests finish for at most `limit`, then
    /// cancels.
    boost::asio::awaitable<void> drain(std::chrono::milliseconds limit);

    std::size_t connections() const noexcept { return open_.size(); }

    /// Has `numbers` show the connections that are open and those that were refused, or ended for want of
    /// room, together with those of other servers that do so. Before run(); `numbers` must outlive this.
    void count_in(metrics& numbers);

private:
    class session;
    template <typename Stream>
    class stream_session;
    struct tls_context;
    struct work;

    std::unique_ptr<work> take_work();
    void give_back(std::unique_ptr<work> done);
    boost::asio::awaitable<void> keep_limits();
    std::size_t places() const { return tls_ ? limits_.max_tls_connections : limits_.max_connections; }
    void refused(const char* why, counter* count);
    void make_room();

    boost::asio::io_context& context_;
    logger log_;
    handler answer_;
    server_limits limits_;
    boost::asio::ip::tcp::acceptor acceptor_;
    task_group sessions_;
    task_group housekeeping_;
    std::list<session*> open_;
    std::unique_ptr<peer_shares> shares_;
    std::size_t unfinished_ = 0;  // bytes that requests hold which are not whole
    bool refusing_ = false;       // told once, until there is room again
    gauge* count_open_ = nullptr;
    counter* count_full_ = nullptr;
    counter* count_share_ = nullptr;
    counter* count_memory_ = nullptr;
    std::vector<std::unique_ptr<work>> spare_;
    std::shared_ptr<tls_context> tls_;
    std::chrono::milliseconds tick_length_;
    std::uint64_t tick_ = 0;  // the time by which connections are limited
    bool draining_ = false;
};

}  // namespace portitor::http
