#pragma once

#include <portitor/kube/object.hpp>

#include <string>

namespace portitor::offer {

/// Whether a ReferenceGrant lets HTTPRoutes of namespace `from` lead to a Service of its own namespace.
bool permits(const kube::object& grant, const std::string& from, const std::string& service);

}  // namespace portitor::offer
