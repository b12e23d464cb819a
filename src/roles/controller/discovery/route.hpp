#pragma once

#include "offer/plan_settings.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::controller {

/// Which hosts each of the HTTPRoutes has, by its number: the first has the public ones, those from 2 on the
/// hosts of offers, so many of them as an HTTPRoute may have.
using host_shares = std::map<unsigned, std::vector<std::string>>;

/// Shares hosts of offers out among routes. Each stays where it is in `held`, so that a change of one host is
/// a change of one route. The numbers of `taken` are not used.
host_shares share_hosts(
    const std::map<std::string, std::size_t>& hosts, const host_shares& held, const std::set<unsigned>& taken
);

/// The name of a route, and back; nothing for a name that is none.
std::string discovery_route_name(unsigned number);
std::optional<unsigned> discovery_route_number(std::string_view name);

/// The HTTPRoute as it is to be: the documents' paths on these hosts (every host, where there are none),
/// without any filter, to that port of that Service, which owns it, so that it goes with it. @pre the Service
/// has a UID
boost::json::object desired_discovery_route(
    const kube::object_meta& service,
    std::uint16_t port,
    const offer::plan_settings& settings,
    unsigned number,
    const std::vector<std::string>& hosts
);

/// The hosts of the first one.
std::vector<std::string> hosts_of_public_route(const offer::plan_settings& settings);

/// The hosts of a live one.
std::vector<std::string> hosts_of_route(const kube::object& live);

/// Whether Portitor made the live route: its label, its digest or its owner says so, and an edit by hand
/// leaves one of them.
bool is_discovery_route(const kube::object& live, const kube::object_meta& service);

}  // namespace portitor::controller
