#pragma once

#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"

namespace portitor::offer {

/// Whether the gateway may serve the offer's own path through its HTTPRoute.
bool is_published(const observation& seen);

/// Whether the offer asks for its place: what is published keeps it until it is really gone, whatever is
/// about to become of it; what is withheld, has drained, is deleted or not Portitor's asks for none. Does not
/// look at who else does.
bool asks_for_place(observation seen, const plan_settings& settings, clock::time_point now);

}  // namespace portitor::offer
