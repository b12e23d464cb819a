#pragma once

#include "offer/plan_settings.hpp"
#include "offer/questions.hpp"

#include <portitor/api/service_offer.hpp>

#include <optional>
#include <string>

namespace portitor::offer {

/// Where buyers find the offer: its URL where the operator named his, else its path.
std::string endpoint_of(const api::service_offer& offer, const plan_settings& settings);

/// A URL's beginning at another host, by the scheme and the port of the operator's.
/// @pre the operator named one
std::string url_of_host(const std::string& host, const plan_settings& settings);

/// The host that buyers ask the offer at, its own one or the first public one; with its port, as the operator
/// names it. Empty where nobody named one.
std::string host_of(const api::service_offer& offer, const plan_settings& settings);

/// The first public host, likewise.
std::string public_host(const plan_settings& settings);

/// What the offer is called as an agent, as it may be shown: its registration's name, else its own.
std::string agent_name(const api::service_offer& offer);

/// What buyers read of the offer.
std::string description_of(const api::service_offer& offer);

/// Where the offer's registration document is: unique to the offer and to this life of it, so that the
/// registrar finds its own registration again by it.
std::string agent_uri(const std::string& offer_uid, const plan_settings& settings);

/// The address that is probed, as it stands in messages.
std::string upstream_url(const api::service_offer& offer);

/// The model that an inference offer's runtime is to list; nothing where the offer names none.
std::optional<model_target> model_of(const api::service_offer& offer);

}  // namespace portitor::offer
