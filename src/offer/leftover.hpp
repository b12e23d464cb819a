#pragma once

#include <portitor/kube/object.hpp>

#include <optional>

namespace portitor::offer {

/// The offer that a RegistrationRequest of ours was made for, where that is another one than the offer that
/// has the name now (null: none has). Without a controlling owner its uid is empty. Nothing for a request
/// that belongs to that offer, or that Portitor has not made.
std::optional<kube::object_identity>
former_offer(const kube::object& request, const kube::object_identity* present);

}  // namespace portitor::offer
