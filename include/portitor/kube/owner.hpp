#pragma once

#include <portitor/core/error.hpp>
#include <portitor/kube/object.hpp>

#include <boost/json/object.hpp>

namespace portitor::kube {

/// The entry of metadata.ownerReferences that makes `owner` the controller of a child in `child_namespace`.
/// An owner reference has no namespace: the garbage collector looks for the owner in the child's own, and
/// deletes a child whose owner is not there. errc::invalid for such an owner, and for one without a UID.
result<boost::json::object> make_controller_reference(
    const resource& kind, const object_identity& owner, const std::string& child_namespace
);

}  // namespace portitor::kube
