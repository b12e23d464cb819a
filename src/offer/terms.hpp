#pragma once

#include "offer/obstacle.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/api/service_offer.hpp>

#include <optional>

namespace portitor::offer {

/// What an offer is sold by: its spec, as the operator's lists complete it. The obstacle where they do not:
/// then `route` is half filled.
std::optional<obstacle>
fill_terms(const api::service_offer& offer, const plan_settings& settings, api::payment_route& route);

}  // namespace portitor::offer
