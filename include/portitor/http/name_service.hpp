#pragma once

#include <portitor/core/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace portitor::http {

/// What a name stands for, and how long that may be relied on.
struct name_answer
{
    std::vector<boost::asio::ip::address> addresses;  ///< in the order to try; never empty
    std::chrono::seconds ttl{0};
};

/// errc::not_found: there is no such name, or it has no address. errc::unavailable: nobody could tell.
using name_taker = std::function<void(result<name_answer>)>;

/// A question under way: it is abandoned, at once, when this goes. Then the taker is never called.
class name_question
{
public:
    virtual ~name_question() = default;
};

/// Asks for the addresses of a host. Never waits, and calls the taker at most once, on the executor and never
/// before it has returned. The taker may let the question go.
using name_service = std::function<std::unique_ptr<name_question>(
    boost::asio::any_io_executor on, const std::string& host, name_taker take
)>;

struct dns_settings
{
    std::string servers;      ///< "address:port,..."; empty: those of the resolver's configuration
    std::string resolv_conf;  ///< the configuration; empty: /etc/resolv.conf
    /// For the first try; each of the two that follow has twice the time of the one before.
    std::chrono::milliseconds first_try{1000};
};

/// /etc/hosts, then DNS as resolv.conf(5) says, with its search domains and ndots: IPv4 and IPv6 addresses in
/// the order of RFC 6724. Every question has sockets of its own, reads the configuration anew, and ends after
/// three tries at every server.
name_service make_dns(dns_settings settings = {});

}  // namespace portitor::http
