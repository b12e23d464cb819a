#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace portitor::kube {

/// One operation of a JSON patch (RFC 6902): `op` is "add", "replace" or "test".
inline boost::json::object
patch_operation(std::string_view op, std::string_view path, boost::json::value value)
{
    boost::json::object out;
    out["op"] = op;
    out["path"] = path;
    out["value"] = std::move(value);
    return out;
}

inline boost::json::object patch_removal(std::string_view path)
{
    boost::json::object out;
    out["op"] = "remove";
    out["path"] = path;
    return out;
}

}  // namespace portitor::kube
