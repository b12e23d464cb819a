#pragma once

#include <portitor/kube/api.hpp>

namespace portitor::kube {

/// Writes the status of an object by server-side apply. The value is the object as it is now; null where it
/// is gone or was replaced by another one of its name, whose news are on their way. The API must outlive the
/// call.
boost::asio::awaitable<result<object_ptr>>
apply_status(api& server, resource kind, object_identity of, boost::json::object status, std::string manager);

}  // namespace portitor::kube
