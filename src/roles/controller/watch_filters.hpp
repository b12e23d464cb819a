#pragma once

#include <portitor/kube/object_filter.hpp>

#include <memory>

namespace portitor::controller {

/// What is read of the objects that the controller watches: what others put into theirs beside that costs
/// nothing. Of annotations and labels only our own are ever read. What may be ours is read whole, by its
/// name, label or owner, because every field of it is kept true; up to a size that none of ours has, since
/// anybody can make something look like it.
std::shared_ptr<const kube::object_filter> own_kind_filter();
std::shared_ptr<const kube::object_filter> middleware_filter();
std::shared_ptr<const kube::object_filter> http_route_filter();
std::shared_ptr<const kube::object_filter> endpoint_slice_filter();

}  // namespace portitor::controller
