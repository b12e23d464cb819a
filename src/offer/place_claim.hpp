#pragma once

#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"

namespace portitor::offer {

/// Whether the gateway may serve the offer through its HTTPRoute at the very place that it asks for now.
bool is_published(const observation& seen, const plan_settings& settings);

/// Whether the offer asks for its place: what is published there keeps it until it is really gone, whatever
/// is about to become of it; what is withheld, has drained, is deleted or not Portitor's asks for none, also
/// where it is published still at another place. Does not look at who else does.
bool asks_for_place(observation seen, const plan_settings& settings, clock::time_point now);

}  // namespace portitor::offer
