#pragma once

#include "offer/child.hpp"

#include <portitor/kube/api.hpp>
#include <portitor/kube/object_filter.hpp>

#include <memory>

namespace portitor::offer {

/// What is read of the objects that offers are judged by: what others put into theirs beside that costs
/// nothing. Of annotations and labels only our own are ever read. What may be ours is read whole, by its
/// name, label or owner, because every field of it is kept true; up to a size that none of ours has, since
/// anybody can make something look like it.
std::shared_ptr<const kube::object_filter> own_kind_filter();
/// The same with all labels, to select by.
std::shared_ptr<const kube::object_filter> labelled_kind_filter();
std::shared_ptr<const kube::object_filter> middleware_filter();
std::shared_ptr<const kube::object_filter> http_route_filter();
std::shared_ptr<const kube::object_filter> endpoint_slice_filter();
/// Of a Namespace its labels: the operator may have named any of them.
std::shared_ptr<const kube::object_filter> namespace_filter();
std::shared_ptr<const kube::object_filter> service_filter();

/// All of a kind, with that read of it.
kube::selection filtered(std::shared_ptr<const kube::object_filter> by);
kube::selection child_selection(child_kind kind);
/// The EndpointSlices of a Service.
kube::selection endpoint_selection(const kube::object_key& service);

}  // namespace portitor::offer
