#pragma once

#include "offer/plan_settings.hpp"
#include "roles/settings.hpp"

namespace portitor::roles {

/// What the plan depends on, out of the operator's settings.
offer::plan_settings make_plan_settings(const settings& config);

}  // namespace portitor::roles
