#pragma once

#include <portitor/api/gate_key.hpp>
#include <portitor/config/gateway_options.hpp>
#include <portitor/config/operator_lists.hpp>

#include <chrono>
#include <optional>

namespace portitor::offer {

/// What the operator decided, as far as make_plan() depends on it.
struct plan_settings
{
    config::gateway_options gateway;
    config::operator_lists lists;
    /// Makes the tokens of the offers that name a credential; without it such an offer is not sold.
    std::optional<api::gate_key> gate_key = std::nullopt;
    /// It is another process that has the key: the token of a live Middleware is taken for the right one.
    bool gate_key_elsewhere = false;
    std::chrono::seconds probe_period{10};
    std::chrono::seconds deletion_deadline{300};
    unsigned suspend_after = 3;  ///< consecutive failed probes
};

}  // namespace portitor::offer
