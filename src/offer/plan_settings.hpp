#pragma once

#include <portitor/config/gateway_options.hpp>
#include <portitor/config/operator_lists.hpp>

#include <chrono>

namespace portitor::offer {

/// What the operator decided, as far as make_plan() depends on it.
struct plan_settings
{
    config::gateway_options gateway;
    config::operator_lists lists;
    std::chrono::seconds probe_period{10};
    std::chrono::seconds deletion_deadline{300};
    unsigned suspend_after = 3;  ///< consecutive failed probes
};

}  // namespace portitor::offer
