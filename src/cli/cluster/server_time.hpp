#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace portitor::cli {

/// What time it is for the API server, to the second, by the Date of an answer of its (RFC 9110
/// section 6.6.1), whatever that is; nothing where it does not say.
boost::asio::awaitable<std::optional<clock::time_point>> server_time(kube::api& server);

}  // namespace portitor::cli
