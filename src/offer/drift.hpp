#pragma once

#include "offer/steps.hpp"

#include <optional>

namespace portitor::offer {

/// Whether a live child is not as it should be: a field of another value, or a spec with more or fewer
/// fields.
bool differs(const kube::object& live, const boost::json::object& desired);

/// What brings an object (null: there is none) to what it should be; nothing where it is so, or is being
/// deleted: such a one is made again when it is gone.
std::optional<change> change_to(const kube::object* live, boost::json::object desired);

/// Whether the live child was once as it should be and has been changed since by somebody else.
bool was_edited(const kube::object& live, const boost::json::object& desired);

}  // namespace portitor::offer
