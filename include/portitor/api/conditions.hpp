#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace portitor::api {

/// The types of a ServiceOffer's conditions, in the order in which a human reads them. A new one is one line
/// here, one in `all`, and one function of src/offer that judges it.
namespace condition_type {

inline constexpr std::string_view model_ready = "ModelReady";
inline constexpr std::string_view upstream_healthy = "UpstreamHealthy";
inline constexpr std::string_view payment_gate_ready = "PaymentGateReady";
inline constexpr std::string_view route_published = "RoutePublished";
inline constexpr std::string_view draining = "Draining";
inline constexpr std::string_view registered = "Registered";
inline constexpr std::string_view not_supported = "NotSupported";
inline constexpr std::string_view ready = "Ready";

inline constexpr std::array all{
    model_ready,
    upstream_healthy,
    payment_gate_ready,
    route_published,
    draining,
    registered,
    not_supported,
    ready};

/// Those that Ready sums up.
inline constexpr std::array needed_for_ready{upstream_healthy, payment_gate_ready, route_published};

}  // namespace condition_type

/// Why a condition is as it is.
struct reason
{
    std::string_view name;  ///< as in the condition
};

/// The reasons that we give. A Gateway may give others, in its own words.
namespace because {

// ModelReady
inline constexpr reason asking{"Asking"};
inline constexpr reason listed{"Listed"};
inline constexpr reason missing_model{"MissingModel"};
inline constexpr reason not_listed{"NotListed"};
inline constexpr reason runtime_unreadable{"RuntimeUnreadable"};

// UpstreamHealthy
inline constexpr reason cross_namespace_upstream{"CrossNamespaceUpstream"};
inline constexpr reason external_name_upstream{"ExternalNameUpstream"};
inline constexpr reason healthy{"Healthy"};
inline constexpr reason probing{"Probing"};
inline constexpr reason unhealthy{"Unhealthy"};

// PaymentGateReady
inline constexpr reason admitted{"Admitted"};
inline constexpr reason invalid_price{"InvalidPrice"};
inline constexpr reason network_not_served{"NetworkNotServed"};
inline constexpr reason no_gate_key{"NoGateKey"};
inline constexpr reason no_verifier_endpoints{"NoVerifierEndpoints"};
inline constexpr reason not_admitted{"NotAdmitted"};
inline constexpr reason refused_by_some{"RefusedBySome"};
inline constexpr reason timeout_too_short{"TimeoutTooShort"};
inline constexpr reason unknown_asset{"UnknownAsset"};
inline constexpr reason unknown_credential{"UnknownCredential"};
inline constexpr reason unknown_facilitator{"UnknownFacilitator"};
inline constexpr reason unknown_network{"UnknownNetwork"};
inline constexpr reason unsupported_asset{"UnsupportedAsset"};
inline constexpr reason unsupported_settlement{"UnsupportedSettlement"};
inline constexpr reason waiting_for_admission{"WaitingForAdmission"};
inline constexpr reason wrong_checksum{"WrongChecksum"};

// RoutePublished
inline constexpr reason drained{"Drained"};
inline constexpr reason foreign_route{"ForeignRoute"};
inline constexpr reason gate_not_proved{"GateNotProved"};
inline constexpr reason gate_open{"GateOpen"};
inline constexpr reason host_not_allowed{"HostNotAllowed"};
inline constexpr reason no_gateway{"NoGateway"};
inline constexpr reason not_accepted{"NotAccepted"};
inline constexpr reason path_conflict{"PathConflict"};
inline constexpr reason proving_gate{"ProvingGate"};
inline constexpr reason published{"Published"};
inline constexpr reason reserved_path{"ReservedPath"};
inline constexpr reason too_many_offers{"TooManyOffers"};
inline constexpr reason unpaid_route{"UnpaidRoute"};
inline constexpr reason waiting_for_gateway{"WaitingForGateway"};

// PaymentGateReady and RoutePublished
inline constexpr reason apply_failed{"ApplyFailed"};
inline constexpr reason disputed{"Disputed"};
inline constexpr reason flapping{"Flapping"};
inline constexpr reason middleware_missing{"MiddlewareMissing"};
inline constexpr reason name_clash{"NameClash"};
inline constexpr reason name_taken{"NameTaken"};
inline constexpr reason unfit_name{"UnfitName"};
inline constexpr reason withheld{"Withheld"};

// Draining
inline constexpr reason draining{"Draining"};

// NotSupported
inline constexpr reason ignored{"Ignored"};
inline constexpr reason not_sold{"NotSold"};

// Registered
inline constexpr reason confirmed{"Confirmed"};
inline constexpr reason disabled{"Disabled"};
inline constexpr reason failed{"Failed"};
inline constexpr reason no_public_url{"NoPublicURL"};
inline constexpr reason off_chain_only{"OffChainOnly"};
inline constexpr reason pending{"Pending"};
inline constexpr reason retirement_failed{"RetirementFailed"};
inline constexpr reason retiring{"Retiring"};
inline constexpr reason submitted{"Submitted"};
inline constexpr reason unknown_chain{"UnknownChain"};
inline constexpr reason waiting_for_route{"WaitingForRoute"};

// Registered, where the registrar says what keeps a registration up
inline constexpr reason fees_too_high{"FeesTooHigh"};
inline constexpr reason foreign_schema{"ForeignSchema"};
inline constexpr reason identity_fixed{"IdentityFixed"};
inline constexpr reason identity_not_allowed{"IdentityNotAllowed"};
inline constexpr reason identity_taken{"IdentityTaken"};
inline constexpr reason key_not_allowed{"KeyNotAllowed"};
inline constexpr reason limit_reached{"LimitReached"};
inline constexpr reason low_balance{"LowBalance"};
inline constexpr reason no_chain{"NoChain"};
inline constexpr reason no_key{"NoKey"};
inline constexpr reason no_node{"NoNode"};
inline constexpr reason no_registry{"NoRegistry"};
inline constexpr reason node_unreachable{"NodeUnreachable"};
inline constexpr reason nonce_taken{"NonceTaken"};
inline constexpr reason not_owner{"NotOwner"};
inline constexpr reason refused{"Refused"};
inline constexpr reason registry_not_allowed{"RegistryNotAllowed"};
inline constexpr reason reverted{"Reverted"};
inline constexpr reason too_large{"TooLarge"};
inline constexpr reason unowned{"Unowned"};
inline constexpr reason waiting_for_turn{"WaitingForTurn"};
inline constexpr reason wrong_chain{"WrongChain"};

/// Those of the registrar that an offer's condition passes on.
inline constexpr std::array of_registrar{
    fees_too_high,
    foreign_schema,
    identity_fixed,
    identity_not_allowed,
    identity_taken,
    key_not_allowed,
    limit_reached,
    low_balance,
    no_chain,
    no_key,
    no_node,
    no_registry,
    node_unreachable,
    nonce_taken,
    not_owner,
    refused,
    registry_not_allowed,
    reverted,
    too_large,
    unowned,
    waiting_for_turn,
    wrong_chain};

// Ready, and any
inline constexpr reason deleting{"Deleting"};
inline constexpr reason internal_error{"InternalError"};
inline constexpr reason invalid_spec{"InvalidSpec"};
inline constexpr reason not_selected{"NotSelected"};
inline constexpr reason ready{"Ready"};

/// Those that no Event tells of when they come: they repeat another condition, or nothing was to be done.
inline constexpr std::array quiet{drained, middleware_missing, withheld, disabled, deleting};

}  // namespace because

/// Whether a reason of a condition of this type is news; see reason::is_news. That an offer has drained is
/// told by the condition Draining, once.
constexpr bool is_news(std::string_view type, std::string_view reason)
{
    return type == condition_type::draining ||
           std::none_of(because::quiet.begin(), because::quiet.end(), [&](const api::reason& each) {
               return each.name == reason;
           });
}

}  // namespace portitor::api
