#pragma once

#include "offer/plan_settings.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace portitor::controller {

/// The HTTPRoute as it is to be: the documents' paths of any host, without any filter, to that port of that
/// Service, which owns it, so that it goes with it. @pre the Service has a UID
boost::json::object desired_discovery_route(
    const kube::object_meta& service, std::uint16_t port, const offer::plan_settings& settings
);

/// Whether Portitor made the live route: its label, its digest or its owner says so, and an edit by hand
/// leaves one of them.
bool is_discovery_route(const kube::object& live, const kube::object_meta& service);

}  // namespace portitor::controller
