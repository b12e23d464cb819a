#pragma once

#include <portitor/http/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

/// What a facilitator says that it serves (x402 v2 section 7): GET {base}/supported.
namespace portitor::x402 {

class network_table;

/// The networks of the scheme "exact" that a facilitator lists: by CAIP-2 where the network is known, else as
/// they are written there. Version 1 writes names, version 2 CAIP-2; one listing is enough.
class served_networks
{
public:
    served_networks() = default;
    explicit served_networks(std::set<std::string> names) : names_(std::move(names)) {}

    /// Whether payments on it are settled: it is listed, or all of its kind are ("eip155:*").
    bool has(std::string_view caip2) const;

    const std::set<std::string>& names() const { return names_; }
    bool operator==(const served_networks&) const = default;

private:
    std::set<std::string> names_;
};

/// Reads the body of an answer, which is a stranger's. errc::protocol where it is none of x402, or lists
/// nothing at all: such an answer says nothing about networks. What is no name of a network is left out.
result<served_networks> read_supported(std::string_view body, const network_table& known);

/// An answer that is longer is refused unread.
inline constexpr std::size_t max_supported_answer = std::size_t{256} * 1024;

/// Asks the facilitator of this base URL. No redirect is followed. The error is the class of what came
/// instead: "HTTP 404", "connection refused"; never a body.
boost::asio::awaitable<result<served_networks>> ask_supported(
    http::client& client, std::string url, const network_table& known, std::chrono::milliseconds timeout
);

}  // namespace portitor::x402
