#pragma once

#include <portitor/api/service_offer.hpp>
#include <portitor/core/u256.hpp>

#include <span>
#include <string_view>

namespace portitor::api {

/// The terms for the paths that match one pattern below the offer's path; the most specific one applies.
struct payment_rule
{
    path_pattern pattern;
    gate access = gate::paid;
    u256 price;  ///< atomic units; 0 for a free rule and for no other
    price_model model = price_model::per_request;
    std::string per_mtok;              ///< the written price for a million tokens, with price_model::per_mtok
    std::vector<std::string> methods;  ///< "POST"; requests of others are refused. Empty: of none
};

/// What the verifier sells: one per offer, written by the controller alone.
struct payment_route
{
    kube::object_identity meta;
    std::string pattern;  ///< the offer's path and all below it, "/services/hello/*"
    u256 price;           ///< atomic units of the asset, never 0
    std::string asset;    ///< the token's contract, "0x…"
    std::string pay_to;
    std::string network;  ///< CAIP-2, "eip155:8453"
    std::string facilitator_url;
    price_model model = price_model::per_request;
    std::string per_mtok;
    std::int64_t approx_tokens_per_request = 0;  ///< 0: not priced by tokens
    std::string description;
    std::int64_t max_timeout_seconds = 300;
    api::settlement settlement = api::settlement::before_response;
    std::string public_url;  ///< of the offer's path; empty where the operator named none
    std::string credential;  ///< name of the Authorization value for the upstream; empty: none
    bool suspended = false;  ///< sell nothing for now: the upstream is down
    std::vector<payment_rule> rules;

    /// The offer that this route belongs to: the name of its controlling owner; empty where there is none.
    std::string offer;
};

/// Reads a route and checks again all that the schema checks; errc::invalid names the field.
result<payment_route> parse_payment_route(const kube::object& route);

/// The rule that applies to a path, by its segments below the route's own; null where the route's own terms
/// do.
const payment_rule* rule_for(const payment_route& route, std::span<const std::string_view> below);

/// The spec with every field written out: nothing is left to defaults, so that an edit by hand always shows.
boost::json::object to_json_spec(const payment_route& route);

/// Reasons of the condition Admitted.
inline constexpr std::string_view served = "Served";
inline constexpr std::string_view refused_by_some = "RefusedBySome";  ///< served by others
inline constexpr std::string_view refused_by_all = "Refused";

/// What the verifiers said about a route.
struct admission
{
    bool admitted = false;
    std::int64_t generation = 0;  ///< the last one that was admitted
    std::string reason;           ///< of the condition Admitted, where it is about `about_generation`
    std::string message;
    std::int64_t about_generation = 0;
    bool refused = false;  ///< the condition is False
};

admission read_admission(const kube::object& route);

/// Whether the present generation is admitted, and one verifier refuses it all the same.
bool is_refused_by_some(const kube::object& route);

}  // namespace portitor::api
