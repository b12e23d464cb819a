#pragma once

#include "offer/evidence.hpp"
#include "offer/questions.hpp"

#include <optional>

namespace portitor::offer {

/// Whether the gateway publishes the offer's route.
struct route_verdict
{
    kube::condition said;  ///< RoutePublished
    /// What the gateway must refuse, now that it publishes the route; nothing where there is nothing to prove
    /// (yet).
    std::optional<proof_target> to_prove;
};

route_verdict judge_route(const evidence& all);

}  // namespace portitor::offer
