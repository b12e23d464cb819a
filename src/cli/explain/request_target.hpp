#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::cli::explain {

/// A request as somebody writes it down, and as the gateway passes it on.
struct request_target
{
    std::string scheme;  ///< "http" or "https"; empty where only a path was written
    std::string host;    ///< with a port where one was written; empty: none was
    std::string path;    ///< without the query
    std::string query;   ///< behind "?", as it was written
    std::string method = "GET";
};

/// Reads "https://host/path?query", "host/path" (where the first segment holds a point or a port) or "/path".
/// errc::invalid for anything else.
result<request_target> read_target(std::string_view written);

/// A path as Traefik passes it on, from 3.4.1: escapes of unreserved characters are decoded and others
/// written in capitals, then "." and ".." segments and empty ones are resolved; a slash at the end stays.
/// errc::invalid for an escape that is none, which Traefik answers with 400 itself.
result<std::string> as_gateway_forwards(std::string_view path);

}  // namespace portitor::cli::explain
