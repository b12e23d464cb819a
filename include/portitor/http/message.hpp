#pragma once

#include <portitor/core/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// HTTP/1.1 values shared by the server and the client.
namespace portitor::http {

using request = boost::beast::http::request<boost::beast::http::string_body>;
using response = boost::beast::http::response<boost::beast::http::string_body>;
using boost::beast::http::field;
using boost::beast::http::status;
using boost::beast::http::verb;

/// Where a server is: scheme ("http" or "https"), host without brackets, and port.
struct origin
{
    std::string scheme;
    std::string host;
    std::uint16_t port = 0;

    bool operator==(const origin&) const = default;
    bool operator<(const origin& other) const;

    /// The value of a Host header: the port only where it is not the scheme's own.
    std::string authority() const;
    std::string to_string() const { return scheme + "://" + authority(); }
};

/// An absolute http(s) URL, split: the server, and the path with its query as it goes on the request line.
struct url
{
    http::origin origin;
    std::string target;
};

/// Accepts only http and https, without user information and fragment. errc::invalid says what is wrong.
result<url> parse_url(std::string_view text);

/// A finished response with its status, body and content type, Content-Length set.
response
make_response(status code, std::string body, std::string_view content_type = "text/plain; charset=utf-8");

struct client_options
{
    std::chrono::milliseconds timeout{
        std::chrono::seconds(30)};           ///< for the whole exchange, connecting included
    std::size_t max_body = 8 * 1024 * 1024;  ///< a longer answer is errc::protocol
    std::size_t max_header = 8 * 1024;       ///< likewise, of send()
    bool pooled = true;                      ///< of open(): may go over, and become, an idle connection
    /// Also a GET or HEAD has an effect, as one with a payment has, and is treated as a POST is:
    /// never sent twice, and errc::timed_out where the connection breaks after it was sent.
    bool has_effect = false;
};

struct tls_settings;

/// The body of an answer that has no end worth waiting for, such as a watch.
class body_stream
{
public:
    virtual ~body_stream() = default;
    virtual unsigned status_code() const = 0;
    virtual const boost::beast::http::fields& headers() const = 0;

    /// The next bytes, in whatever pieces the network brings them; empty at the end of the body.
    /// errc::timed_out when nothing arrives within `idle`; the stream is of no use after an error.
    virtual boost::asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds idle) = 0;
};

/// Sends requests over pooled keep-alive connections. Follows no redirects and sends nothing twice unless it
/// is sure that the server saw nothing of it. One strand: call it from the executor it was made with.
class client
{
public:
    virtual ~client() = default;

    /// errc::unavailable: the server was not reached, nothing was sent. errc::timed_out: no complete answer
    /// in time. errc::protocol: an answer that is not HTTP or is too large. Any complete answer is a value,
    /// whatever its status. Host is the server's unless the message has one.
    virtual boost::asio::awaitable<result<response>>
    send(origin server, request message, client_options options) = 0;

    /// As send(), but returns at the answer's header and leaves the body to be read. Its time limit ends
    /// there.
    virtual boost::asio::awaitable<result<std::unique_ptr<body_stream>>>
    open(origin server, request message, client_options options) = 0;

    /// Trusts and shows something else from the next connection on; idle ones are closed. errc::invalid when
    /// a certificate or key cannot be read: then nothing changes.
    virtual result<void> use_tls(const tls_settings& tls) = 0;
};

}  // namespace portitor::http
