#pragma once

#include "sandbox/storage.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::sandbox {

/// What a list or a watch shows of an object: all of it, or PartialObjectMetadata.
boost::json::object shown(const boost::json::object& object, bool metadata_only);

/// One line of a watch.
std::string event_line(std::string_view type, const boost::json::object& object);

/// The line that tells a change to a watch that selects; empty where there is nothing to tell: an object that
/// joins the selection is new to it, one that leaves is gone.
std::string change_line(const stored_change& of, const kube::object_predicate& which, bool metadata_only);

/// Tells nothing but how far the watch has come.
std::string bookmark_line(const kind_info& of, std::uint64_t version);

}  // namespace portitor::sandbox
