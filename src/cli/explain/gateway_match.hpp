#pragma once

#include "cli/explain/listeners.hpp"
#include "cli/explain/seen.hpp"

#include <string>
#include <vector>

namespace portitor::cli::explain {

/// One match of a rule of an HTTPRoute, as far as it takes a request.
struct candidate
{
    kube::object_ptr of;
    kube::object_key route;
    std::size_t rule = 0;                  ///< its place in the route
    std::string match;                     ///< in words: "PathPrefix /services/hello, host api.example.com"
    std::vector<std::string> middlewares;  ///< that it names, in order, of the route's namespace
    std::vector<std::string> backends;     ///< "namespace/name:port"
    /// What it asks of the request that is not known: headers, or a regular expression; empty: it applies.
    std::string only_if;
    /// Why the gateway does not serve it; empty: it does.
    std::string not_served;
    bool made_by_us = false;
    bool by_query = false;  ///< it asks for query parameters

    bool applies() const { return only_if.empty() && not_served.empty(); }
    const boost::json::object& rule_in_route() const;

    long priority = 0;       ///< as Traefik reckons it
    std::vector<long> rank;  ///< in the gateway's order: the greatest is followed first
    std::string since;       ///< creationTimestamp, for gateways that go by age
};

/// The matches that may take a request, the one that the gateway follows first. Traefik's order is its own: a
/// number of kind and length of the path match, method, headers, queries, the longest host name that the
/// route is served for, and the rule's place. For other gateways it is that of the Gateway API.
std::vector<candidate> find_candidates(
    const seen_kind& routes,
    const request_target& request,
    const arrival& where,
    const offer::plan_settings& settings
);

}  // namespace portitor::cli::explain
