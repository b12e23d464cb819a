#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/http/message.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace portitor::test {

constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

/// One end of a TCP connection on loopback that sends and reads what the test says, HTTP or not.
class wire
{
public:
    using tcp = boost::asio::ip::tcp;

    explicit wire(tcp::socket socket) : socket_(std::move(socket)) {}

    boost::asio::awaitable<bool> send(std::string bytes)
    {
        auto [ec, size] = co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes), as_result);
        co_return !ec;
    }

    /// What comes up to and including the first `mark`, or up to the end where there is none.
    boost::asio::awaitable<std::string> read_until(std::string mark)
    {
        for (;;)
        {
            const auto at = held_.find(mark);
            if (at != held_.npos)
                co_return take(at + mark.size());
            const bool open = co_await read_more();
            if (!open)
                co_return take(held_.size());
        }
    }

    boost::asio::awaitable<std::string> read_to_end()
    {
        for (bool open = true; open;)
            open = co_await read_more();
        co_return take(held_.size());
    }

    /// One HTTP message with Content-Length or without a body; empty at the end.
    boost::asio::awaitable<std::string> read_message()
    {
        std::string header = co_await read_until("\r\n\r\n");
        const std::string name = "Content-Length: ";
        const auto at = header.find(name);
        const std::size_t length = at == header.npos ? 0 : std::stoul(header.substr(at + name.size()));
        bool open = true;
        while (open && held_.size() < length)
            open = co_await read_more();
        co_return header + take(std::min(length, held_.size()));
    }

    /// Whether the peer has nothing more to say and has closed, or broken, the connection.
    boost::asio::awaitable<bool> at_end()
    {
        const bool more = co_await read_more();
        co_return !more && held_.empty();
    }

    void close()
    {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

    /// Says that nothing more is sent; the peer may still answer.
    void close_sending()
    {
        boost::system::error_code ignored;
        socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
    }

    /// Closes without the usual farewell: the peer's next operation fails.
    void reset()
    {
        boost::system::error_code ignored;
        socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

private:
    boost::asio::awaitable<bool> read_more()
    {
        char piece[16 * 1024];
        auto [ec, size] = co_await socket_.async_read_some(boost::asio::buffer(piece), as_result);
        held_.append(piece, size);
        co_return !ec;
    }

    std::string take(std::size_t count)
    {
        std::string out = held_.substr(0, count);
        held_.erase(0, count);
        return out;
    }

    tcp::socket socket_;
    std::string held_;
};

/// Connects to a port of this machine; throws where it cannot.
inline boost::asio::awaitable<std::unique_ptr<wire>> connect_wire(std::uint16_t port)
{
    boost::asio::ip::tcp::socket socket(co_await boost::asio::this_coro::executor);
    const boost::asio::ip::tcp::endpoint there(boost::asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(there, boost::asio::use_awaitable);
    // What is sent in pieces shall come in pieces, and at once.
    socket.set_option(boost::asio::ip::tcp::no_delay(true));
    co_return std::make_unique<wire>(std::move(socket));
}

/// A server that does to each connection what the test says. Keep it until its tasks are joined.
class wire_server
{
public:
    /// Gets the connection and how many there were before.
    using script = std::function<boost::asio::awaitable<void>(wire&, int)>;

    wire_server(boost::asio::io_context& context, script of)
        : acceptor_(context, {boost::asio::ip::address_v4::loopback(), 0}), script_(std::move(of)),
          tasks_(context.get_executor(), logger(log_level::error, log_format::text))
    {
        tasks_.spawn("wire server", accept());
    }

    http::origin origin() const { return {"http", "127.0.0.1", acceptor_.local_endpoint().port()}; }
    int connections() const { return connections_; }

    boost::asio::awaitable<void> stop()
    {
        acceptor_.close();
        tasks_.cancel();
        co_await tasks_.join();
    }

private:
    boost::asio::awaitable<void> accept()
    {
        for (;;)
        {
            auto socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
            tasks_.spawn("connection", serve(std::make_unique<wire>(std::move(socket)), connections_++));
        }
    }

    boost::asio::awaitable<void> serve(std::unique_ptr<wire> line, int index)
    {
        co_await script_(*line, index);
    }

    boost::asio::ip::tcp::acceptor acceptor_;
    script script_;
    task_group tasks_;
    int connections_ = 0;
};

/// A port of this machine on which nobody listens.
inline std::uint16_t free_port(boost::asio::io_context& context)
{
    const boost::asio::ip::tcp::acceptor taken(context, {boost::asio::ip::address_v4::loopback(), 0});
    return taken.local_endpoint().port();
}

}  // namespace portitor::test
