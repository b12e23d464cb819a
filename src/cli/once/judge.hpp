#pragma once

#include "cli/once/report.hpp"
#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"

namespace portitor::cli::once {

/// What a plan says of an offer, with its children as far as they can be told without asking anybody. Pure.
offer_report judge(
    const offer::plan& todo,
    const offer::observation& seen,
    const offer::plan_settings& settings,
    clock::time_point now
);

}  // namespace portitor::cli::once
