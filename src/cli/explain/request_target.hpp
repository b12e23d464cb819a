#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::cli::explain {

/// A request as somebody writes it down, and as the gateway passes it on.
struct request_target
{
    std::string written;
    std::string scheme;  ///< "http" or "https"; empty where only a path was written
    std::string host;    ///< with a port where one was written; empty: none was
    std::string path;    ///< without the query
    std::string query;   ///< behind "?", as it was written
    std::string method = "GET";
};

/// The controller whose ways are known beyond what the Gateway API says.
inline constexpr std::string_view traefik_controller = "traefik.io/gateway-controller";

/// Lower-case, as hosts are compared.
std::string host_without_port(std::string_view host);

/// A host, with a port or not, as it may stand in a URL. errc::invalid for what no client can send.
result<void> check_host(std::string_view host);

/// Reads "https://host/path?query", "host/path" (where the first segment holds a point or a port) or "/path".
/// errc::invalid for anything else.
result<request_target> read_target(std::string_view written);

/// Whether a query holds a parameter, as Traefik reads it: of several of one name any counts.
bool has_query(std::string_view query, std::string_view name, std::string_view value);

/// A path as Traefik passes it on, from 3.4.1: escapes of unreserved characters are decoded and others
/// written in capitals, then "." and ".." segments and empty ones are resolved; a slash at the end stays.
/// What a URL may not hold, such as "^" or "ü", is taken as sent all the same, but for spaces and control
/// characters: then every escape is decoded first, "%2F" too.
/// errc::invalid for an escape that is none, which Traefik answers with 400 itself.
result<std::string> as_gateway_forwards(std::string_view path);

/// The same path from a client that escapes what a URL may not hold, as browsers do and curl does not.
std::string as_careful_clients_send(std::string_view path);

}  // namespace portitor::cli::explain
