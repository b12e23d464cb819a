#pragma once

#include <portitor/kube/api_error.hpp>

#include <boost/json/object.hpp>

#include <string_view>

namespace portitor::kube {

/// What a metav1.Status says. `http_status` counts where the Status names no code.
api_error
read_status(const boost::json::object& status, unsigned http_status, std::chrono::seconds retry_after);

/// What an answer other than 2xx says: its body is a Status from the API server, but may be anything from a
/// proxy.
api_error read_failure(std::string_view body, unsigned http_status, std::chrono::seconds retry_after);

}  // namespace portitor::kube
