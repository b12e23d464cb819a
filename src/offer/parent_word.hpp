#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

#include <optional>
#include <string_view>

namespace portitor::offer {

/// Whether a parentRef of an HTTPRoute, or the one that an entry of status.parents is about, names the
/// operator's Gateway, whichever of its listeners.
bool names_gateway(
    const boost::json::object& parent_ref, const kube::object& route, const plan_settings& settings
);

/// Whether an entry of status.parents is the word of the operator's gateway-controller on that Gateway.
bool speaks_for_gateway(
    const boost::json::object& entry, const kube::object& route, const plan_settings& settings
);

/// What such an entry says of the route's present generation: Accepted or ResolvedRefs. Nothing where it says
/// nothing yet; a verdict on an older generation is none.
std::optional<kube::condition>
present_word(const boost::json::object& entry, const kube::object& route, std::string_view type);

/// Whether the gateway-controller has judged the route's present generation.
bool is_judged(const kube::object& route, const plan_settings& settings);

}  // namespace portitor::offer
