#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/config/gateway_options.hpp>
#include <portitor/config/operator_lists.hpp>

namespace portitor::roles {

/// What the plan depends on, out of the operator's options; what only the controller is told keeps its
/// default. Refers to the networks of `lists`, which must outlive it.
offer::plan_settings
make_plan_settings(const config::gateway_options& gateway, const config::operator_lists& lists);

}  // namespace portitor::roles
