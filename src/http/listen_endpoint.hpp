#pragma once

#include <portitor/core/error.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <string_view>

namespace portitor::http {

/// Where to listen.
struct listen_endpoint
{
    boost::asio::ip::tcp::endpoint at;
    /// Named without a host: every address of the machine, IPv6 and IPv4. `at` is the IPv6 one.
    bool every_address = false;
};

/// Reads "host:port", ":port" or "port", the host an address. errc::invalid for anything else.
result<listen_endpoint> parse_listen_endpoint(std::string_view text);

}  // namespace portitor::http
