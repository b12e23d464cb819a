#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::route {

/// The path of a request as the gateway's client wrote it, when there is only one way to read it. Made to be
/// read into again and again: that costs no allocation.
struct request_path
{
    request_path() = default;
    request_path(const request_path&) = delete;  // the segments are views into the text
    request_path& operator=(const request_path&) = delete;

    std::string text;  ///< without query, unreserved escapes decoded: "/services/hello/a"
    std::vector<std::string_view> segments;  ///< without a trailing empty one: {"services", "hello", "a"}
    bool has_parameters = false;             ///< holds ";" or its escape, which some servers cut off
};

/// Reads X-Forwarded-Uri. errc::invalid for a path that an upstream may read differently from how rules are
/// chosen: escaped slashes, backslashes and NULs, empty, "." and ".." segments, broken escapes, control
/// characters, bytes that are not UTF-8. (Traefik rewrites on the decoded path, so "free/..%2Fpaid" reaches
/// the upstream as "/paid".) `into` is unspecified then.
result<void> read_request_path(std::string_view forwarded_uri, request_path& into);

}  // namespace portitor::route
