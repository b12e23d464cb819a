#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::verifier {

/// The path of a request as the gateway's client wrote it, when there is only one way to read it.
struct request_path
{
    std::string text;                   ///< without query, unreserved escapes decoded: "/services/hello/a"
    std::vector<std::string> segments;  ///< without a trailing empty one: {"services", "hello", "a"}
    bool has_parameters = false;        ///< holds ";" or its escape, which some servers cut off
};

/// Reads X-Forwarded-Uri. errc::invalid for a path that an upstream may read differently from how rules are
/// chosen: escaped slashes, backslashes and NULs, empty, "." and ".." segments, broken escapes, control
/// characters. (Traefik rewrites on the decoded path, so "free/..%2Fpaid" reaches the upstream as "/paid".)
result<request_path> read_request_path(std::string_view forwarded_uri);

/// The segments of a pattern or path; a trailing slash adds none.
std::vector<std::string> split_segments(std::string_view path);

}  // namespace portitor::verifier
