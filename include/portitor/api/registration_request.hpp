#pragma once

#include <portitor/api/service_offer.hpp>

namespace portitor::api {

enum class desired_state
{
    active,
    retired,
};

const char* to_string(desired_state value) noexcept;

/// What the registrar is to put on chain, written by the controller alone.
struct registration_request
{
    kube::object_meta meta;
    std::string name;
    std::string description;
    std::string endpoint;  ///< where the service answers
    std::string image;
    std::string chain;
    std::string registry;   ///< the identity registry's contract, "0x…"
    std::string agent_uri;  ///< of the registration document; unique to the offer
    std::map<std::string, std::string> metadata;
    std::optional<secret_key_ref> private_key_secret;
    std::string agent_id;  ///< decimal; of an identity to take over instead of minting one, empty: none
    std::string document;  ///< JSON; to be kept on chain in place of agent_uri, empty: not
    desired_state state = desired_state::active;
};

/// Reads a request and checks again all that the schema checks; errc::invalid names the field.
result<registration_request> parse_registration_request(const kube::object& request);

boost::json::object to_json_spec(const registration_request& request);

enum class registration_phase
{
    none,  ///< the registrar has not looked at it yet
    pending,
    submitted,
    confirmed,
    failed,
    off_chain_only,
    retired,
};

/// "" for none, else as in the status: "OffChainOnly".
const char* to_string(registration_phase value) noexcept;

/// What the registrar reported.
struct registration_state
{
    registration_phase phase = registration_phase::none;
    std::string agent_id;  ///< decimal; "0" is an id, empty is none
    std::string tx_hash;
    std::string error_message;
    bool in_flight = false;  ///< there is a write-ahead record: a transaction may be out

    /// Whether something may be on chain, or on its way there.
    bool touched_chain() const { return in_flight || !agent_id.empty() || !tx_hash.empty(); }
};

/// Never fails: an unknown phase counts as pending.
registration_state read_registration_state(const kube::object& request);

}  // namespace portitor::api
