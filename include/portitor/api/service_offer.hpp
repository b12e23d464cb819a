#pragma once

#include <portitor/api/path_pattern.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace portitor::api {

enum class offer_type
{
    http,
    inference,
};

/// When a payment is settled, relative to the upstream's answer.
enum class settlement
{
    before_response,
    after_response,
};

const char* to_string(gate value) noexcept;
const char* to_string(settlement value) noexcept;

/// How the price of a request was derived; buyers see it.
enum class price_model
{
    per_request,
    per_mtok,
    per_hour,
};

/// In the order in which a price that is written for several of them is read.
inline constexpr price_model all_price_models[] = {
    price_model::per_request, price_model::per_mtok, price_model::per_hour};

/// "per-request", "per-mtok" or "per-hour".
const char* to_string(price_model value) noexcept;

/// The field of a price (api::price) that is written for it: "perRequest", "perMTok" or "perHour".
const char* field_of(price_model value) noexcept;

/// Prices as written: decimal amounts of the asset. They are read by offer::price_of(), because only with
/// the asset's decimals can it be said whether they are right.
struct price
{
    std::optional<std::string> per_request;
    std::optional<std::string> per_mtok;
    std::optional<std::string> per_hour;

    const std::optional<std::string>& of(price_model model) const
    {
        return model == price_model::per_mtok   ? per_mtok
               : model == price_model::per_hour ? per_hour
                                                : per_request;
    }
    bool empty() const { return !per_request && !per_mtok && !per_hour; }
};

/// The asset that an offer asks for; empty fields were not written.
struct asset
{
    std::string address;
    std::string symbol;
    std::optional<std::int64_t> decimals;
    std::string transfer_method;
    std::string eip712_name;
    std::string eip712_version;
};

/// One path below the offer's with its own terms.
struct offer_route
{
    path_pattern path;  ///< as the upstream sees it
    gate access = gate::paid;
    std::optional<price> own_price;    ///< absent: the offer's
    std::vector<std::string> methods;  ///< "POST"; empty: every one
};

/// What the gateway lets through to an offer; 0: no limit.
struct traffic_limits
{
    std::int64_t in_flight = 0;   ///< requests at a time
    std::int64_t per_second = 0;  ///< requests of one client

    bool empty() const { return in_flight == 0 && per_second == 0; }
};

/// An entry of the registration document's services.
struct service_entry
{
    std::string name;
    std::string endpoint;
    std::string version;
};

struct secret_key_ref
{
    std::string name;
    std::string key;
};

struct registration
{
    bool enabled = false;
    std::string chain;  ///< empty: the operator's first
    std::string name;   ///< empty: the offer's
    std::string description;
    std::string image;
    std::vector<service_entry> services;
    std::vector<std::string> supported_trust;
    std::vector<std::string> skills;
    std::vector<std::string> domains;
    std::map<std::string, std::string> metadata;
    std::optional<secret_key_ref> private_key_secret;
    std::string agent_id;  ///< decimal; of an identity to take over, empty: one is minted
    /// Why nothing can be registered by it: the field, and how to write it. Empty: nothing. The offer is sold
    /// all the same.
    std::string unreadable;
};

/// What a seller wrote, with every default filled in.
struct service_offer
{
    struct model_spec
    {
        std::string name;
        std::string runtime;
    };

    struct upstream_spec
    {
        std::string service;
        std::string ns;  ///< the offer's own where it was not written
        std::uint16_t port = 0;
        std::string health_path;
        std::string credential;  ///< empty: none
    };

    struct payment_spec
    {
        std::string network;
        std::string pay_to;
        std::int64_t max_timeout_seconds = 0;
        api::price price;
        std::optional<api::asset> asset;  ///< absent: the network's first
        std::string facilitator;          ///< empty: the operator's default
        api::settlement settlement = api::settlement::before_response;
    };

    kube::object_identity meta;
    offer_type type = offer_type::http;
    std::optional<model_spec> model;
    upstream_spec upstream;
    payment_spec payment;
    std::string hostname;  ///< empty: any
    std::string path;      ///< never ends with "/", except that it may be "/"
    std::vector<offer_route> routes;
    traffic_limits limits;
    api::registration registration;
    std::optional<clock::time_point> drain_at;
    std::chrono::seconds drain_grace{};
};

/// Reads spec.drainGracePeriod: a duration as Go writes it, in whole hours, minutes and seconds ("90m",
/// "1h30m"), of at most ten years. errc::invalid says what was expected.
result<std::chrono::seconds> parse_grace_period(std::string_view text);

/// What it is where it is not written.
inline constexpr std::chrono::seconds default_grace_period = std::chrono::hours(1);

/// A Service by its name, or by its name within the cluster: "hello", "hello.alice", "hello.alice.svc" and
/// "hello.alice.svc.cluster.local"; `ns` is empty for the first. errc::invalid says what was expected:
/// another host name is none within the cluster.
struct service_name
{
    std::string name;
    std::string ns;
};
result<service_name> parse_service_name(std::string_view text);

/// Reads an offer and checks all that can be sold of what the CRD's schema takes, except the digits of its
/// prices. errc::invalid names the field, what was expected and how to write it. What is wrong with the
/// registration alone is in registration::unreadable.
result<service_offer> parse_service_offer(const kube::object& offer);

}  // namespace portitor::api
