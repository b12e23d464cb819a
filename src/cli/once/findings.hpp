#pragma once

#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"

namespace portitor::cli::once {

/// Adds what a controller that runs has found out about a live offer, by its status, and goes on knowing when
/// the offer becomes what is seen now: its upstream where that stays the same, its gate where the HTTPRoute
/// does.
void recall_findings(
    offer::observation& seen,
    const offer::offer_record& before,
    const offer::plan_settings& settings,
    clock::time_point now
);

}  // namespace portitor::cli::once
