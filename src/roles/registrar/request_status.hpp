#pragma once

#include <portitor/api/registration_request.hpp>
#include <portitor/core/clock.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/evm/rlp.hpp>
#include <portitor/kube/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace portitor::registrar {

/// What a transaction is sent for.
enum class operation
{
    mint,          ///< register(agentURI, metadata)
    set_uri,       ///< setAgentURI, to what the request wants
    set_metadata,  ///< setMetadata of one key
    retire,        ///< setAgentURI, to what says that the agent is no more
};

/// As in the status: "register", "setAgentURI", "setMetadata", "retire".
const char* to_string(operation value) noexcept;

/// Where a transaction was mined. A reorganisation may still take it back.
struct mined
{
    evm::word transaction{};
    std::uint64_t block = 0;
    evm::word block_hash{};

    bool operator==(const mined&) const = default;
};

/// status.writeAhead: a transaction that may be on its way. Written before the node hears of it, so that
/// whoever comes next can follow it, send the same bytes again, or put another one in its place, and never
/// sends a second one beside it.
struct write_ahead
{
    operation what = operation::mint;
    std::string key{};  ///< of set_metadata
    evm::address account;
    std::uint64_t nonce = 0;
    std::uint64_t attempt = 1;      ///< counts the transactions signed at this nonce
    std::vector<evm::word> hashes;  ///< theirs, the latest one last; any of them may be mined
    evm::bytes raw;                 ///< of the latest one, signed
    /// From which of the hashes on the transaction only takes the nonce away from those before, which no node
    /// would have; 0: none. As an attempt, counted from 1.
    std::uint64_t canceled_from = 0;
    std::uint64_t from_block = 0;   ///< it cannot be in an earlier block
    clock::time_point started_at;   ///< when the latest one was written
    std::optional<mined> in_block;  ///< the last that was seen of it
    bool confirmed = false;         ///< that block is deep enough; it is looked at once more

    bool operator==(const write_ahead&) const = default;
};

/// The status of a RegistrationRequest, as the registrar keeps it.
struct request_status
{
    api::registration_phase phase = api::registration_phase::none;
    std::string reason;   ///< of the condition Registered, CamelCase
    std::string message;  ///< what it means and what to do; also errorMessage where the phase is no good end
    std::int64_t observed_generation = 0;  ///< the spec that has been brought to its end
    std::optional<u256> agent_id;          ///< 0 is one
    std::optional<evm::word> transaction;  ///< the last one that was confirmed or is under way
    std::optional<write_ahead> under_way;
    std::optional<std::string> previous_uri;      ///< of an adopted identity, before it was changed
    std::optional<clock::time_point> sent_at;     ///< when the last transaction of this request was signed
    std::uint32_t failures = 0;                   ///< transactions that came to nothing, one after another
    std::optional<clock::time_point> changed_at;  ///< when the agent was changed last, after its mint

    bool operator==(const request_status&) const = default;
};

/// errc::invalid where a write-ahead record is there and cannot be read: nothing may be sent then.
result<request_status> read_request_status(const kube::object& request);

/// The generation that the condition Registered speaks of; 0: none yet.
std::int64_t told_generation(const kube::object& request);

/// Whether something may be on chain, or on its way there.
bool has_touched_chain(const request_status& status);

/// Whether a transaction is on its way that is in no block yet: the account sends no other one meanwhile.
bool holds_nonce(const request_status& status);

/// Whether one is on its way that is not final yet.
bool is_waiting(const request_status& status);

/// Of a URI, what is behind its last slash.
std::string last_part(const std::string& uri);

/// "<offer-uid>.json", with which the URI ends that the controller makes.
std::string uri_end_of(const api::registration_request& request);

/// As it is written. Conditions keep their times where only words change.
boost::json::object to_json(const request_status& status, const kube::object& live, clock::time_point now);

}  // namespace portitor::registrar
