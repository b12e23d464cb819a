#pragma once

#include "offer/offer_record.hpp"

#include <chrono>
#include <optional>

namespace portitor::offer {

/// How far an offer is on its way out.
enum class drain_stage
{
    none,
    draining,  ///< past drainAt, still sold
    drained,   ///< past the grace period
};

/// What drainAt and drainGracePeriod come to at one moment.
struct ending
{
    drain_stage stage = drain_stage::none;
    clock::time_point sold_until{};                      ///< with drainAt: when the grace period is over
    std::optional<std::chrono::milliseconds> next_step;  ///< until the next change of `stage`
};

/// The one reading of an offer's end: what is sold, what is listed and who has a path all follow it.
ending ending_of(const api::service_offer& offer, clock::time_point now);

}  // namespace portitor::offer
