#pragma once

#include <portitor/http/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace boost::asio::ssl {
class context;
}

namespace portitor::http {

using deadline = std::chrono::steady_clock::time_point;

class connection;
class name_lookup;
using connection_taker = std::function<void(std::unique_ptr<connection>)>;

/// One connection to one server, plain or TLS: the only place that sees the stream types.
class connection
{
public:
    virtual ~connection() = default;

    /// errc::unavailable when the server cannot be reached or its certificate is not the expected one.
    virtual boost::asio::awaitable<result<void>> connect(deadline until) = 0;
    /// Sends a request as far as that goes without waiting; false where write_rest() has to follow.
    virtual result<bool> write_at_once(const request& message, deadline until) = 0;
    virtual boost::asio::awaitable<result<void>> write_rest() = 0;
    /// The whole answer. Afterwards reusable() says whether another request may follow.
    virtual boost::asio::awaitable<result<response>>
    read(std::size_t max_header, std::size_t max_body, deadline until) = 0;
    /// Hands the connection over to a reader of its answer's body, at the header. At the body's end
    /// `give_back`, where there is one, gets a connection that another request may follow on.
    virtual boost::asio::awaitable<result<std::unique_ptr<body_stream>>>
    read_stream(std::unique_ptr<connection> self, deadline until, connection_taker give_back) = 0;
    virtual bool reusable() const = 0;
    /// Whether the peer has closed a connection that lay idle.
    virtual bool stale() = 0;
};

/// `tls` may be null for plain http. `names` must outlive connect().
std::unique_ptr<connection> make_connection(
    boost::asio::any_io_executor executor,
    name_lookup& names,
    origin server,
    boost::asio::ssl::context* tls,
    std::string server_name
);

}  // namespace portitor::http
