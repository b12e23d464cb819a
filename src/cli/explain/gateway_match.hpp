#pragma once

#include "cli/explain/request_target.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::explain {

/// One match of a rule of an HTTPRoute, as far as it takes a request.
struct candidate
{
    kube::object_key route;
    std::size_t rule = 0;                  ///< its place in the route
    std::string match;                     ///< in words: "PathPrefix /services/hello, host api.example.com"
    std::vector<std::string> middlewares;  ///< that it goes through, in order, of the route's namespace
    std::vector<std::string> backends;     ///< "namespace/name:port"
    /// What it asks of the request that is not known: headers, or a regular expression; empty: it applies.
    std::string only_if;
    /// Why the gateway does not serve it; empty: it does.
    std::string not_served;
    bool made_by_us = false;

    bool applies() const { return only_if.empty() && not_served.empty(); }

    long priority = 0;  ///< as Traefik reckons it
    std::string since;  ///< creationTimestamp, for gateways that go by age
};

/// The matches that may take a request, the one that the gateway follows first. Traefik's order is its own
/// (kind and length of the path match, then method, headers, queries, and the length of the host name); for
/// other gateways it is that of the Gateway API.
std::vector<candidate> find_candidates(
    const std::vector<kube::object_ptr>& routes,
    const request_target& request,
    const offer::plan_settings& settings
);

}  // namespace portitor::cli::explain
