#pragma once

#include "offer/plan_settings.hpp"
#include "roles/controller/discovery/offer_view.hpp"

#include <span>
#include <string>
#include <string_view>

namespace portitor::controller {

/// Paths of the discovery documents.
inline constexpr std::string_view registrations_path = "/.well-known/agent-registration.json";
inline constexpr std::string_view registration_folder = "/.well-known/agent-registration/";
inline constexpr std::string_view services_path = "/api/services.json";

/// One offer's part of the lists, as JSON texts; empty where a list does not have it.
struct list_entry
{
    std::string service;       ///< of services.json
    std::string agent;         ///< of "agents" in the list of registrations
    std::string registration;  ///< of "registrations" there; empty while no agentId is known

    bool operator==(const list_entry&) const = default;
    bool empty() const { return service.empty() && agent.empty() && registration.empty(); }
};

/// What the lists say of an offer: nothing where it is not listed.
list_entry
make_list_entry(const offer_view& seen, const listing& known, const offer::plan_settings& settings);

/// One offer's entry of services.json, with the field names of the predecessor's.
std::string service_entry(const listing::sale& sold, const offer::plan_settings& settings);

/// The whole of services.json: {"services": [...]}.
std::string services_document(std::span<const std::string_view> services);

/// The whole of agent-registration.json: a registration file (ERC-8004) of the gateway itself, which lists
/// the registrations of all offers of a host, so that it proves the domain for each. `host` is empty for the
/// public ones.
std::string registrations_document(
    std::span<const std::string_view> agents,
    std::span<const std::string_view> registrations,
    const offer::plan_settings& settings,
    const std::string& host
);

/// The registration file (ERC-8004) that an offer's agentURI leads to. There is one for a listed offer that
/// is to be registered and, so that what is on chain never leads nowhere, for every offer that has a
/// RegistrationRequest: with "active": false while it is not listed. Nothing where there is none.
std::optional<std::string>
registration_document(const offer_view& seen, const listing& known, const offer::plan_settings& settings);

}  // namespace portitor::controller
