#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

namespace portitor::offer {

/// The operator's chain that an offer's registration names, by any name of its network; nullptr where there
/// is none.
const config::chain* find_chain(const std::string& name, const plan_settings& settings);

/// Whether what is on chain of a live request lies elsewhere than its offer wants it now: it has to be
/// retired there first, because an agent's number means nothing in another registry.
bool is_registered_elsewhere(
    const kube::object& live, const config::chain& wanted, const plan_settings& settings
);

}  // namespace portitor::offer
