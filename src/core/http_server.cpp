#include <portitor/core/http_server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <charconv>
#include <sys/socket.h>

namespace portitor::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

result<tcp::endpoint> parse_endpoint(std::string_view text)
{
    const auto wrong =
        fail(errc::invalid, "\"{}\" is not an address to listen on, such as :8080 or 127.0.0.1:8080", text);
    const auto colon = text.rfind(':');
    std::string host(colon == text.npos ? std::string_view() : text.substr(0, colon));
    const std::string_view port_text = colon == text.npos ? text : text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto read = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (port_text.empty() || read.ec != std::errc() || read.ptr != port_text.data() + port_text.size())
        return wrong;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host.empty())
        return tcp::endpoint(tcp::v4(), port);
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec)
        return wrong;
    return tcp::endpoint(address, port);
}

// Whether the peer has closed its end: then nobody waits for the answer any more.
bool peer_gone(tcp::socket& socket)
{
    char byte = 0;
    return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

status status_for(beast::error_code ec)
{
    namespace h = beast::http;
    if (ec == h::error::header_limit)
        return status::request_header_fields_too_large;
    if (ec == h::error::body_limit)
        return status::payload_too_large;
    return status::bad_request;
}

bool is_protocol_error(beast::error_code ec)
{
    return ec.category() == beast::http::make_error_code(beast::http::error::bad_target).category() &&
           ec != beast::http::error::end_of_stream && ec != beast::http::error::partial_message;
}

}  // namespace

class server::session
{
public:
    session(server& owner, tcp::socket socket) : owner_(owner), stream_(std::move(socket))
    {
        owner_.open_.push_back(this);
        place_ = std::prev(owner_.open_.end());
    }
    ~session() { owner_.open_.erase(place_); }
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    asio::awaitable<void> run()
    {
        // Not "while (!draining && co_await ...)": g++ 12 awaits the second operand of a loop's condition
        // always.
        while (!owner_.draining_)
        {
            if (!co_await wait_for_request())
                break;
            if (!co_await exchange())
                break;
        }
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    // An idle connection is closed at once on a drain; a busy one after its answer.
    void close_if_idle()
    {
        if (idle_)
            stream_.cancel();
    }

private:
    asio::awaitable<bool> wait_for_request()
    {
        if (buffer_.size() > 0)
            co_return true;
        idle_ = true;
        stream_.expires_after(owner_.limits_.idle);
        auto [ec, read] = co_await stream_.async_read_some(buffer_.prepare(4096), as_result);
        idle_ = false;
        buffer_.commit(read);
        co_return !ec;
    }

    // One request and its answer; false ends the connection.
    asio::awaitable<bool> exchange()
    {
        beast::http::request_parser<beast::http::string_body> parser;
        parser.header_limit(static_cast<std::uint32_t>(owner_.limits_.max_header));
        parser.body_limit(owner_.limits_.max_body);
        stream_.expires_after(owner_.limits_.read_request);
        auto [ec, read] = co_await beast::http::async_read(stream_, buffer_, parser, as_result);
        if (ec)
        {
            if (is_protocol_error(ec))
            {
                reply refusal(make_response(status_for(ec), "the request is not acceptable HTTP/1.1\n"));
                co_await send(refusal, false, parser.get().version());
            }
            co_return false;
        }
        stream_.expires_never();
        const request message = parser.release();
        reply answer = co_await handle(message);
        const bool keep = message.keep_alive() && !owner_.draining_;
        if (message.method() == verb::head)
            answer.message.body().clear();  // its Content-Length stays
        co_return co_await send(answer, keep, message.version());
    }

    asio::awaitable<reply> handle(const request& message)
    {
        std::string what;
        try
        {
            co_return co_await owner_.answer_(message);
        }
        catch (const boost::system::system_error& thrown)
        {
            if (thrown.code() == asio::error::operation_aborted)
                throw;
            what = thrown.what();
        }
        catch (const std::exception& thrown)
        {
            what = thrown.what();
        }
        owner_.log_.error("a request handler threw", {{"err", what}});
        co_return reply(make_response(status::internal_server_error, "internal error\n"));
    }

    asio::awaitable<bool> send(reply& answer, bool keep, unsigned version)
    {
        answer.message.version(version < 10 ? 11 : version);
        answer.message.keep_alive(keep);
        bool delivered = !peer_gone(stream_.socket());
        if (delivered)
        {
            stream_.expires_after(owner_.limits_.write_reply);
            auto [ec, written] = co_await beast::http::async_write(stream_, answer.message, as_result);
            delivered = !ec;
        }
        if (answer.on_written)
            answer.on_written(delivered);
        co_return delivered&& keep;
    }

    server& owner_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::list<session*>::iterator place_;
    bool idle_ = false;
};

server::server(asio::any_io_executor executor, logger log, handler answer, server_limits limits)
    : log_(log), answer_(std::move(answer)), limits_(limits), acceptor_(executor), sessions_(executor, log)
{}

server::~server() = default;

result<void> server::listen(std::string_view text)
{
    const auto endpoint = parse_endpoint(text);
    if (!endpoint)
        return endpoint.error();
    beast::error_code ec;
    acceptor_.open(endpoint->protocol(), ec);
    if (!ec)
        acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec)
        acceptor_.bind(*endpoint, ec);
    if (!ec)
        acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
        return fail(errc::refused, "cannot listen on {}: {}", text, ec.message());
    return {};
}

std::uint16_t server::port() const
{
    beast::error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
}

namespace {

// Keeps the session alive for as long as its coroutine runs.
template <typename Session>
asio::awaitable<void> serve(std::unique_ptr<Session> session)
{
    co_await session->run();
}

}  // namespace

asio::awaitable<void> server::run()
{
    while (!draining_)
    {
        auto [ec, socket] = co_await acceptor_.async_accept(as_result);
        if (draining_ || ec == asio::error::operation_aborted)
            break;
        if (ec)
        {
            // Out of descriptors, most likely: give the running sessions time to return some.
            log_.warn("cannot accept a connection", {{"err", ec.message()}});
            co_await sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        if (open_.size() >= limits_.max_connections)
            continue;  // the socket closes here
        socket.set_option(tcp::no_delay(true), ec);
        sessions_.spawn("http session", serve(std::make_unique<session>(*this, std::move(socket))));
    }
}

asio::awaitable<void> server::drain(std::chrono::milliseconds limit)
{
    draining_ = true;
    beast::error_code ignored;
    acceptor_.close(ignored);
    for (session* each : open_)
        each->close_if_idle();
    asio::steady_timer deadline(sessions_.executor(), limit);
    deadline.async_wait([this](beast::error_code ec) {
        if (!ec)
            sessions_.cancel();
    });
    co_await sessions_.join();
}

}  // namespace portitor::http
