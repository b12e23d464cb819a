#pragma once

#include <portitor/kube/api_error.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace portitor::kube {

/// How long a server may make us wait: what it asks for, from none to two minutes.
inline std::chrono::seconds bounded_pause(std::int64_t seconds)
{
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 120));
}

/// What a metav1.Status says. `http_status` counts where the Status names no code.
api_error
read_status(const boost::json::object& status, unsigned http_status, std::chrono::seconds retry_after);

/// What an answer other than 2xx says: its body is a Status from the API server, but may be anything from a
/// proxy.
api_error read_failure(std::string_view body, unsigned http_status, std::chrono::seconds retry_after);

}  // namespace portitor::kube
