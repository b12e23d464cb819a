#pragma once

#include <portitor/http/message.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>
#include <vector>

namespace portitor::http {

/// Where a server can be connected to, in the order to try.
using addresses = std::vector<boost::asio::ip::tcp::endpoint>;

/// Asks the system for the addresses of a host, and blocks as long as that takes.
using name_service = std::function<result<addresses>(const std::string& host, std::uint16_t port)>;

/// Looks up a server's name; an address is one already. A name server that does not answer holds up nobody:
/// who asks is canceled at once, where Asio's own resolver waits for getaddrinfo(), and its thread ends by
/// itself, whoever is still there. errc::unavailable where the name is not known, or where too many questions
/// hang already.
boost::asio::awaitable<result<addresses>> look_up(origin server);
/// The same of another service than the system's.
boost::asio::awaitable<result<addresses>> look_up(origin server, name_service ask);

}  // namespace portitor::http
