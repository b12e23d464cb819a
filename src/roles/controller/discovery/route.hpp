#pragma once

#include "offer/plan_settings.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace portitor::controller {

/// Name of the HTTPRoute that publishes the discovery documents, in the namespace of the Service that serves
/// them.
inline constexpr const char* discovery_route_name = "portitor-discovery";

/// The HTTPRoute as it is to be: the documents' paths of any host, without any filter, to that port of that
/// Service, which owns it, so that it goes with it. @pre the Service has a UID
boost::json::object desired_discovery_route(
    const kube::object_meta& service, std::uint16_t port, const offer::plan_settings& settings
);

/// Whether Portitor made the live route: its label, its digest or its owner says so, and an edit by hand
/// leaves one of them.
bool is_discovery_route(const kube::object& live, const kube::object_meta& service);

}  // namespace portitor::controller
