#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/error.hpp>
#include <portitor/http/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace portitor::cli::doctor {

/// What a certificate says.
struct certificate_facts
{
    clock::time_point begins{};
    clock::time_point expires{};  ///< at the latest the end of the clock: some are to last until 9999
    bool is_for_host = false;     ///< its names are right for who was asked
    std::string distrust;         ///< why the system's CAs do not vouch for it; empty: they do
};

/// The first certificate of a PEM text. `host` is who it is to be for. errc::invalid where there is none.
result<certificate_facts> read_certificate(std::string_view pem, const std::string& host);

/// Shakes hands with a server, looks at its certificate whatever it is, and hangs up. Sends nothing.
/// errc::unavailable: not reached; errc::timed_out; errc::protocol: no TLS there.
boost::asio::awaitable<result<certificate_facts>>
look_at_certificate(http::origin server, std::chrono::milliseconds limit);

}  // namespace portitor::cli::doctor
