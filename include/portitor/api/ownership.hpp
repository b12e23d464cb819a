#pragma once

#include <portitor/kube/object.hpp>

namespace portitor::api {

/// The ServiceOffer that controls an object, by its owner references; null where none does.
const kube::owner_reference* owning_offer(const kube::object_meta& child);

/// Whether a ServiceOffer is the predecessor's to act on: it has its finalizer, and Portitor's not. It is
/// left alone until that one goes.
bool is_held_by_predecessor(const kube::object_meta& offer);

/// Whether a RegistrationRequest is of the predecessor's kind of that name, which nothing of Portitor acts
/// on.
bool is_predecessors(const kube::object& request);

/// Whether Portitor made this child for this very offer: by its controlling owner's uid or, where nothing
/// controls it, by its labels.
bool is_made_for(const kube::object& child, const kube::object_identity& offer);

}  // namespace portitor::api
