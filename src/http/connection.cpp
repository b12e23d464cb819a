#include "http/connection.hpp"

#include <portitor/http/name_lookup.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <openssl/ssl.h>

#include <array>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>

namespace portitor::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using plain_stream = tcp::socket;
using tls_stream = asio::ssl::stream<tcp::socket>;

error describe(beast::error_code ec, std::string_view doing)
{
    if (ec == beast::error::timeout)
        return fail(errc::timed_out, "{}: timed out", doing);
    if (ec == asio::error::operation_aborted)
        return fail(errc::canceled, "{}: canceled", doing);
    const bool http =
        ec.category() == beast::http::make_error_code(beast::http::error::bad_target).category();
    const bool cut = ec == beast::http::error::end_of_stream || ec == beast::http::error::partial_message;
    return fail(http && !cut ? errc::protocol : errc::unavailable, "{}: {}", doing, ec.message());
}

// 100 or 103 only announces the answer; 101 would be another protocol (RFC 9110, section 15.2).
result<bool> is_interim(unsigned status, const origin& server)
{
    if (status == 101)
        return fail(errc::protocol, "{} switches to another protocol", server.to_string());
    return status >= 100 && status < 200;
}

/// Ends what a connection does when its time is over. Costs one timer for a whole exchange.
class time_limit
{
public:
    explicit time_limit(tcp::socket& socket) : socket_(socket), timer_(socket.get_executor()) {}

    void expires_at(deadline when)
    {
        if (when == until_)
            return;
        until_ = when;
        over_ = false;
        timer_.expires_at(when);
        timer_.async_wait([this, alive = std::weak_ptr(alive_)](beast::error_code ec) {
            // A timer that has fired when its connection goes still calls.
            if (!ec && !alive.expired())
                end();
        });
    }

    void expires_never()
    {
        until_ = deadline::max();
        timer_.cancel();
    }

    bool over() const { return over_; }

private:
    void end()
    {
        if (until_ > std::chrono::steady_clock::now())
            return;  // set anew in the meantime
        over_ = true;
        beast::error_code ignored;
        // What is made of several steps may be between two of them, where nothing is there to cancel.
        socket_.shutdown(asio::socket_base::shutdown_both, ignored);
        socket_.cancel(ignored);
    }

    tcp::socket& socket_;
    asio::steady_timer timer_;
    deadline until_ = deadline::max();
    bool over_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// A peer that vanished without a word is noticed within a minute, on idle watches too.
void keep_alive(tcp::socket& socket)
{
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set = [&](int option, int value) {
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof(value));
    };
    set(TCP_KEEPIDLE, 20);
    set(TCP_KEEPINTVL, 10);
    set(TCP_KEEPCNT, 3);
    set(TCP_USER_TIMEOUT, 30000);
}

// SSL_set_tlsext_host_name() is a macro with a cast that -Wold-style-cast refuses.
bool set_server_name_indication(SSL* ssl, std::string name)
{
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

template <typename Stream>
class basic_body_stream;

template <typename Stream>
class basic_connection final : public connection
{
public:
    template <typename... Args>
    basic_connection(name_lookup& names, origin server, std::string server_name, Args&&... args)
        : stream_(std::forward<Args>(args)...), names_(names), server_(std::move(server)),
          server_name_(std::move(server_name))
    {}

    asio::awaitable<result<void>> connect(deadline until) override
    {
        auto found = co_await names_.look_up(server_, until);
        if (!found)
            co_return found.error();
        beast::error_code failed = asio::error::host_not_found;
        auto left = static_cast<long>(found->size());
        for (const tcp::endpoint& each : *found)
        {
            beast::error_code ignored;
            socket().close(ignored);
            // One that hangs leaves their share of the time to the others.
            const auto now = std::chrono::steady_clock::now();
            limit_.expires_at(now + (until - now) / left--);
            auto [ec] = co_await socket().async_connect(each, as_result);
            failed = limit_.over() ? beast::error_code(beast::error::timeout) : ec;
            if (!failed)
                break;
        }
        limit_.expires_at(until);
        if (failed)
            co_return fail(
                errc::unavailable, "cannot connect to {}: {}", server_.to_string(), failed.message()
            );
        keep_alive(socket());
        if constexpr (is_tls)
        {
            auto shaken = co_await handshake();
            if (!shaken)
                co_return shaken.error();
        }
        else
        {
            beast::error_code ignored;
            socket().non_blocking(true, ignored);
        }
        co_return result<void>();
    }

    result<bool> write_at_once(const request& message, deadline until) override
    {
        is_head_ = message.method() == verb::head;
        limit_.expires_at(until);
        serialize(message);
        written_ = 0;
        if constexpr (!is_tls)
        {
            // Nearly always the socket takes it all.
            beast::error_code failed;
            written_ = stream_.write_some(asio::buffer(output_), failed);
            if (failed && failed != asio::error::would_block)
                return sending_failed(failed);
        }
        return written_ == output_.size();
    }

    asio::awaitable<result<void>> write_rest() override
    {
        auto [failed, size] =
            co_await asio::async_write(stream_, asio::buffer(output_) + written_, as_result);
        if (failed)
            co_return sending_failed(describe_end(failed));
        co_return result<void>();
    }

    asio::awaitable<result<response>>
    read(std::size_t max_header, std::size_t max_body, deadline until) override
    {
        limit_.expires_at(until);
        for (;;)
        {
            beast::http::response_parser<beast::http::string_body> parser;
            parser.eager(true);
            parser.header_limit(static_cast<std::uint32_t>(max_header));
            parser.body_limit(max_body);
            parser.skip(is_head_);  // its Content-Length is that of a body which does not come
            while (!parser.is_done())
            {
                const beast::error_code ec = co_await advance(parser);
                if (ec)
                    co_return describe(ec, "reading the answer of " + server_.to_string());
            }
            const auto interim = is_interim(parser.get().result_int(), server_);
            if (!interim)
                co_return interim.error();
            if (*interim)
                continue;
            // Bytes beyond the answer are an answer to nobody's request: the next one would get them.
            reusable_ = parser.get().keep_alive() && buffer_.size() == 0;
            limit_.expires_never();
            co_return parser.release();
        }
    }

    asio::awaitable<result<std::unique_ptr<body_stream>>>
    read_stream(std::unique_ptr<connection> self, deadline until, connection_taker give_back) override;

    bool reusable() const override { return reusable_; }

    bool stale() override
    {
        char byte = 0;
        const auto got = ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        // Anything but "nothing yet" is the end of the connection, or bytes that nobody asked for.
        return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }

private:
    friend class basic_body_stream<Stream>;

    static constexpr bool is_tls = std::is_same_v<Stream, tls_stream>;
    static constexpr std::size_t read_size = 8 * 1024;
    static constexpr std::size_t longest_unread = 128 * 1024;

    tcp::socket& socket()
    {
        if constexpr (is_tls)
            return stream_.next_layer();
        else
            return stream_;
    }

    error sending_failed(beast::error_code ec) const
    {
        return describe(ec, "sending to " + server_.to_string());
    }

    void serialize(const request& message)
    {
        const auto view = [](beast::string_view text) { return std::string_view(text.data(), text.size()); };
        output_.clear();
        output_ += view(message.method_string());
        output_ += ' ';
        output_ += view(message.target());
        output_ += " HTTP/1.1\r\n";
        for (const auto& each : message)
        {
            output_ += view(each.name_string());
            output_ += ": ";
            output_ += view(each.value());
            output_ += "\r\n";
        }
        output_ += "\r\n";
        output_ += message.body();
    }

    /// Parses what is there, or else reads more. eof ends a body that has no other end.
    template <typename Parser>
    asio::awaitable<beast::error_code> advance(Parser& parser)
    {
        beast::error_code ec;
        if (buffer_.size() > 0)
        {
            buffer_.consume(parser.put(buffer_.data(), ec));
            if (ec != beast::http::error::need_more)
                co_return ec;
            if (is_overfull())
                co_return beast::http::error::buffer_overflow;
        }
        auto [failed, size] = co_await stream_.async_read_some(buffer_.prepare(read_size), as_result);
        buffer_.commit(size);
        if (limit_.over())
            co_return beast::error::timeout;
        if (failed != asio::error::eof)
            co_return failed;
        if (!parser.got_some())
            co_return beast::http::error::end_of_stream;
        ec = {};
        parser.put_eof(ec);
        co_return ec;
    }

    /// What a parser leaves is the beginning of a header, of a chunk's head or of what follows the last
    /// chunk: a peer may never come to its end.
    bool is_overfull() const { return buffer_.size() > longest_unread; }

    beast::error_code describe_end(beast::error_code ec) const
    {
        return limit_.over() ? beast::error_code(beast::error::timeout) : ec;
    }

    asio::awaitable<result<void>> handshake()
    {
        const std::string& name = server_name_.empty() ? server_.host : server_name_;
        beast::error_code literal;
        asio::ip::make_address(name, literal);
        const bool is_name = static_cast<bool>(literal);
        // SNI carries names only, never addresses.
        if (is_name && !set_server_name_indication(stream_.native_handle(), name))
            co_return fail(errc::unavailable, "cannot use \"{}\" as a TLS server name", name);
        stream_.set_verify_callback(asio::ssl::host_name_verification(name));
        auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::client, as_result);
        if (ec)
            co_return fail(
                errc::unavailable, "TLS with {} failed: {}", server_.to_string(), describe_end(ec).message()
            );
        co_return result<void>();
    }

    Stream stream_;
    name_lookup& names_;
    time_limit limit_{socket()};
    beast::flat_buffer buffer_;
    std::string output_;
    std::size_t written_ = 0;
    origin server_;
    std::string server_name_;
    bool reusable_ = false;
    bool is_head_ = false;
};

template <typename Stream>
class basic_body_stream final : public body_stream
{
public:
    basic_body_stream(
        std::unique_ptr<connection> keep, basic_connection<Stream>& via, connection_taker give_back
    )
        : keep_(std::move(keep)), via_(via), give_back_(std::move(give_back))
    {}

    asio::awaitable<result<void>> read_header(deadline until)
    {
        via_.limit_.expires_at(until);
        for (;;)
        {
            parser_.emplace();
            parser_->body_limit(boost::none);
            while (!parser_->is_header_done())
            {
                const beast::error_code ec = co_await via_.advance(*parser_);
                if (ec)
                    co_return describe(ec, "reading the answer of " + via_.server_.to_string());
            }
            const auto interim = is_interim(status_code(), via_.server_);
            if (!interim)
                co_return interim.error();
            if (!*interim)
                co_return result<void>();
        }
    }

    unsigned status_code() const override { return parser_->get().result_int(); }
    const beast::http::fields& headers() const override { return parser_->get(); }

    asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds idle) override
    {
        std::string out;
        while (keep_ && !parser_->is_done())
        {
            out.reserve(std::min(via_.buffer_.size(), longest_piece));
            beast::error_code ec = parse_into(out);
            if (!out.empty() && !ec)
                co_return out;
            // What had come may have been just the end of the last chunk: then nothing follows.
            if (!ec && !parser_->is_done())
                ec = co_await receive(idle);
            if (ec)
                co_return describe(ec, "reading from " + via_.server_.to_string());
        }
        if (keep_ && give_back_ && parser_->get().keep_alive() && via_.buffer_.size() == 0)
        {
            via_.limit_.expires_never();
            give_back_(std::move(keep_));
        }
        co_return out;
    }

private:
    /// Takes what has come already, chunk after chunk, without a turn of the event loop for each.
    beast::error_code parse_into(std::string& out)
    {
        beast::error_code ec;
        while (!ec && !parser_->is_done() && via_.buffer_.size() > 0 && out.size() < longest_piece)
        {
            auto& body = parser_->get().body();
            body.data = chunk_.data();
            body.size = chunk_.size();
            via_.buffer_.consume(parser_->put(via_.buffer_.data(), ec));
            out.append(chunk_.data(), chunk_.size() - body.size);
            if (ec == beast::http::error::need_buffer)
                ec = {};
        }
        if (ec == beast::http::error::need_more)
            ec = {};
        return ec;
    }

    asio::awaitable<beast::error_code> receive(std::chrono::milliseconds idle)
    {
        if (via_.is_overfull())
            co_return beast::http::error::buffer_overflow;
        via_.limit_.expires_at(std::chrono::steady_clock::now() + idle);
        auto [ec, size] =
            co_await via_.stream_.async_read_some(via_.buffer_.prepare(longest_piece), as_result);
        via_.buffer_.commit(size);
        // Without a length or chunks the body ends with the connection.
        if (ec == asio::error::eof)
        {
            ec = {};
            parser_->put_eof(ec);
        }
        co_return via_.describe_end(ec);
    }

    static constexpr std::size_t longest_piece = 32 * 1024;

    std::unique_ptr<connection> keep_;  ///< null once it has been given back
    basic_connection<Stream>& via_;     ///< the same, with its type
    connection_taker give_back_;
    std::optional<beast::http::response_parser<beast::http::buffer_body>> parser_;
    std::array<char, 16 * 1024> chunk_{};
};

template <typename Stream>
asio::awaitable<result<std::unique_ptr<body_stream>>> basic_connection<Stream>::read_stream(
    std::unique_ptr<connection> self, deadline until, connection_taker give_back
)
{
    auto reader = std::make_unique<basic_body_stream<Stream>>(std::move(self), *this, std::move(give_back));
    auto header = co_await reader->read_header(until);
    if (!header)
        co_return header.error();
    std::unique_ptr<body_stream> out = std::move(reader);
    co_return out;
}

}  // namespace

std::unique_ptr<connection> make_connection(
    asio::any_io_executor executor,
    name_lookup& names,
    origin server,
    asio::ssl::context* tls,
    std::string server_name
)
{
    if (server.scheme == "https")
        return std::make_unique<basic_connection<tls_stream>>(
            names, std::move(server), std::move(server_name), executor, *tls
        );
    return std::make_unique<basic_connection<plain_stream>>(
        names, std::move(server), std::move(server_name), executor
    );
}

}  // namespace portitor::http
