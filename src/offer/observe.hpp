#pragma once

#include "offer/observation.hpp"
#include "offer/path_index.hpp"
#include "offer/surroundings.hpp"

namespace portitor::offer {

/// Looks at what is there of an offer and around it. What was asked, what is remembered, and whether the
/// verifier is ready is left to be added.
observation
observe(record_ptr offer, const child_finder& find, const path_index& paths, const surroundings& around);

}  // namespace portitor::offer
