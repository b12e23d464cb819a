#pragma once

#include "offer/plan_settings.hpp"

namespace portitor::offer {

/// The operator's chain that an offer's registration names, by any name of its network; nullptr where there
/// is none.
const config::chain* find_chain(const std::string& name, const plan_settings& settings);

}  // namespace portitor::offer
