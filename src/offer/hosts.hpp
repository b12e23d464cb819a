#pragma once

#include "offer/place.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/service_offer.hpp>

#include <string>

namespace portitor::offer {

/// The host of its own that an offer asks for; empty where it has none, or names one of the public ones,
/// which is the same.
std::string own_host(std::string_view hostname, const plan_settings& settings);
inline std::string own_host(const api::service_offer& offer, const plan_settings& settings)
{
    return own_host(offer.hostname, settings);
}

/// The place with the host by which it is compared with others, which is empty for the public ones: two
/// offers of different hosts are never in each other's way.
place place_among(place asked, const plan_settings& settings);

/// Whether a namespace may have a host for its own.
enum class host_right
{
    allowed,
    refused,
    unknown,  ///< it depends on the labels of the Namespace, which nobody has seen
};

/// What the operator's list `hosts` says. `home` is the Namespace object, null where it is not known.
/// @pre the host is none of the public ones
host_right right_to_host(
    std::string_view host, const std::string& ns, const kube::object* home, const plan_settings& settings
);

/// The hostnames of the HTTPRoute of an offer: its own one, or the public ones; none is every host.
std::vector<std::string> hostnames_of(const api::service_offer& offer, const plan_settings& settings);

}  // namespace portitor::offer
