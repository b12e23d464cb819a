#pragma once

#include <portitor/core/error.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <string_view>

namespace portitor::http {

/// Reads "host:port", ":port" or "port", the host an address. errc::invalid for anything else.
result<boost::asio::ip::tcp::endpoint> parse_listen_endpoint(std::string_view text);

}  // namespace portitor::http
