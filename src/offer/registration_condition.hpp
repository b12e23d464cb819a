#pragma once

#include "offer/evidence.hpp"

#include <vector>

namespace portitor::offer {

/// Registered, given the conditions that the registration waits for.
kube::condition judge_registered(const std::vector<kube::condition>& conditions, const evidence& all);

}  // namespace portitor::offer
