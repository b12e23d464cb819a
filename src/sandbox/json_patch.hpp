#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace portitor::sandbox {

/// Carries out a JSON patch (RFC 6902): "add", "replace", "remove" and "test"; "move" and "copy" are not
/// known. A "replace" of a member that is not there adds it, as on the real API server. errc::invalid names
/// the operation that does not hold or fit; then `root` is of no use any more.
result<void> apply_patch(boost::json::object& root, const boost::json::array& operations);

}  // namespace portitor::sandbox
