#pragma once

#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"
#include "offer/steps.hpp"

#include <string>

namespace portitor::offer {

/// Decides everything for one offer, from what is there and what the operator set. Pure: the same input gives
/// the same plan, an input that is as it should be gives an empty one, and no offer makes it throw.
plan make_plan(const observation& seen, const plan_settings& settings, clock::time_point now);

/// What is done for an offer that make_plan(), or anything else on the way to it, threw about: its condition
/// Ready says so, once for each generation. An offer whose present spec nobody has judged is taken down, one
/// step each time; what was published for this spec stays as it is.
plan make_fault_plan(const observation& seen, const std::string& what, clock::time_point now);

}  // namespace portitor::offer
