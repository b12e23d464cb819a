#pragma once

#include "offer/drain.hpp"
#include "offer/plan.hpp"

#include <portitor/api/payment_route.hpp>

namespace portitor::offer {

/// Why an offer cannot be sold: the condition that says so, with its reason and its words.
struct obstacle
{
    std::string condition;
    std::string reason;
    std::string message;
};

/// The reason of an offer that is withheld because an HTTPRoute leads around its gate.
inline constexpr const char* unpaid_route = "UnpaidRoute";

/// What an offer comes to before anything is written: its spec read, and the terms to sell it by, or what
/// prevents that. Exactly one of `route` and `blocked` is set.
struct draft
{
    std::optional<api::service_offer> offer;  ///< absent where the spec cannot be read
    std::optional<api::payment_route> route;
    std::optional<obstacle> blocked;
    offer::ending ending;  ///< nothing known of it where the spec cannot be read
};

draft make_draft(
    const kube::object& offer, const observation& seen, const plan_settings& settings, clock::time_point now
);

/// Whether the upstream's Service is the offer's to sell: of its own namespace, or allowed by the other one.
bool may_use_upstream(const api::service_offer& offer, const observation& seen);

/// Whether the status says that the gate of the present spec was seen open. Such an offer is not published
/// before its spec changes, restarts of the controller or not: that is the seller's word that things are
/// different now.
bool tells_open_gate(const kube::object& offer);

/// The operator's chain that an offer's registration names, by either of its names; nullptr where there is
/// none.
const registration_chain* find_chain(const std::string& name, const plan_settings& settings);

/// Where buyers find the offer: its URL where the operator named his, else its path.
std::string endpoint_of(const api::service_offer& offer, const plan_settings& settings);

/// The model that an inference offer's runtime is to list; nothing where the offer names none.
std::optional<model_target> model_of(const api::service_offer& offer);

/// What the offer is called as an agent: its registration's name, else its own.
std::string agent_name(const api::service_offer& offer);

/// What buyers read of the offer.
std::string description_of(const api::service_offer& offer);

/// Where the offer's registration document is: unique to the offer and to this life of it, so that the
/// registrar finds its own registration again by it.
std::string agent_uri(const std::string& offer_uid, const plan_settings& settings);

/// The address that is probed, as it stands in messages.
std::string upstream_url(const api::service_offer& offer);

}  // namespace portitor::offer
