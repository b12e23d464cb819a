#pragma once

#include "offer/drain.hpp"
#include "offer/observation.hpp"
#include "offer/obstacle.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/payment_route.hpp>

#include <optional>
#include <string>
#include <vector>

namespace portitor::offer {

/// What an offer comes to before anything is written: the terms to sell it by, or what prevents that. Exactly
/// one of `route` and `blocked` is set.
struct draft
{
    std::optional<api::payment_route> route;
    std::optional<obstacle> blocked;
    std::string facilitator_url;  ///< of the terms, also of such as are blocked; empty: there are none
    /// Of an offer that is blocked because its gate was seen open: the terms to try it by again, now.
    std::optional<api::payment_route> on_trial;
    offer::ending ending;  ///< nothing known of it where the spec cannot be read
};

draft make_draft(const observation& seen, const plan_settings& settings, clock::time_point now);

/// The words for fields that nothing is sold by: those that withhold the offer, or all.
std::string told_unsupported(const std::vector<api::unsupported_field>& fields, bool only_withholding);

/// Whether the upstream's Service is the offer's to sell: of its own namespace, or allowed by the other one.
bool may_use_upstream(const api::service_offer& offer, const observation& seen);

/// Whether anybody asks the upstream how it is; where nobody does, the offer is withheld.
bool is_upstream_asked(const api::service_offer& offer, const observation& seen);

/// What the status says of a gate that was seen open; null where it says nothing. Such an offer is not
/// published before its gate has been tried again and proved, restarts of the controller or not.
const kube::condition* told_open_gate(const offer_record& offer);

}  // namespace portitor::offer
