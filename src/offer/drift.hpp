#pragma once

#include "offer/steps.hpp"

#include <optional>
#include <string>
#include <vector>

namespace portitor::offer {

/// Whether a live child is not as it should be: a field of another value, or a spec with more or fewer
/// fields.
bool differs(const kube::object& live, const boost::json::object& desired);

/// JSON pointers to the members of the live spec that `desired` does not have, outside of lists: those stay
/// through a server-side apply.
std::vector<std::string> foreign_fields(const kube::object& live, const boost::json::object& desired);

/// What brings a child (null: there is none) to what it should be; nothing where it is so, or is being
/// deleted: such a one is made again when it is gone.
std::optional<apply> apply_to(child_kind kind, const kube::object* live, boost::json::object desired);

/// Whether the live child was once as it should be and has been changed since by somebody else.
bool was_edited(const kube::object& live, const boost::json::object& desired);

}  // namespace portitor::offer
