#pragma once

#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>

#include <optional>
#include <string_view>

namespace portitor::kube {

/// JSON patches (RFC 6902) that put a finalizer on or take it off and leave everybody else's alone: each
/// tests first that the object is the one that was seen. The API server answers 422 where a test does not
/// hold.

/// Nothing where it is there already, or where the object is being deleted: the server takes no new ones
/// then.
std::optional<boost::json::array> add_finalizer_patch(const object_meta& seen, std::string_view finalizer);

/// Nothing where it is not there.
std::optional<boost::json::array> remove_finalizer_patch(const object_meta& seen, std::string_view finalizer);

}  // namespace portitor::kube
