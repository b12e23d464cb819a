#pragma once

#include "roles/registrar/chain_reader.hpp"
#include "roles/registrar/request_status.hpp"

#include <portitor/api/registration_request.hpp>
#include <portitor/config/chains.hpp>
#include <portitor/evm/transaction.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace portitor::registrar {

/// What a node has answered in this pass; nothing where it was not asked yet.
struct chain_facts
{
    std::optional<chain_head> head;
    std::optional<std::vector<std::optional<evm::receipt>>> receipts;  ///< of the record's hashes
    std::optional<std::optional<evm::word>> block_hash;                ///< of `block_hash_of`
    std::uint64_t block_hash_of = 0;
    std::optional<std::uint64_t> mined_nonces;
    std::optional<std::optional<nonce_taker>> taker;
    std::optional<bool> known;  ///< whether the record's latest transaction waits with a node
    std::optional<earlier_mint> earlier;
    std::optional<std::optional<agent_on_chain>> agent;
    std::map<std::string, evm::bytes> metadata;
    std::optional<std::uint64_t> gas;   ///< of the call that estimate was asked for
    std::optional<std::string> revert;  ///< why the contract would refuse it; then there is no gas
    std::optional<u256> priority_fee;   ///< wei a unit
    std::optional<u256> balance;        ///< wei
};

/// All that the next step depends on.
struct situation
{
    const api::registration_request& request;
    const request_status& status;
    bool owned = false;            ///< a ServiceOffer with the owner's UID exists
    std::string uri_end;           ///< "<offer-uid>.json", by which a mint for this offer is known
    std::uint64_t not_before = 0;  ///< Unix seconds; no mint for it is older
    evm::address account;          ///< that signs, and owns the agent
    bool can_sign = false;         ///< its key is at hand
    const config::chain& chain;
    std::uint64_t chain_id = 0;
    evm::address registry{};
    bool hand_back = false;       ///< an adopted identity gets its former URI back
    bool identity_taken = false;  ///< an older request has the identity that this one asks for
    std::chrono::seconds min_interval{};
    u256 low_balance{};
    std::optional<std::string> limit_of_changes{};  ///< which of the day's limits is reached; nothing: none
    std::optional<std::string> limit_of_retirements{};  ///< the same
    std::uint64_t least_nonce = 0;  ///< all below are known to be mined: a node that says less is behind
    bool has_turn = false;          ///< to send the account's next transaction
    bool must_bump = false;         ///< the node found the last one too cheap
    std::optional<clock::time_point> refused_since{};  ///< since when nodes refuse the last one for good
    std::optional<clock::time_point> sent_last{};      ///< when this process last sent the record's bytes
    clock::time_point now{};                           ///< in whole seconds
    chain_facts facts{};
};

/// A question to the chain; its answer goes into the facts.
struct ask
{
    enum class about
    {
        head,
        receipts,
        block_hash,
        mined_nonces,
        taker,
        known,
        earlier,
        agent,
        metadata,
        estimate,
        priority_fee,
        balance,
    };
    about what;
    u256 agent_id{};          ///< of agent and metadata
    std::string key{};        ///< of metadata
    std::uint64_t block = 0;  ///< of block_hash
    evm::bytes data{};        ///< of estimate
};

/// Waits for the turn to send.
struct take_turn
{};

/// The status is to say this; look again at once, or after the time given.
struct tell
{
    request_status status;
    std::optional<std::chrono::milliseconds> then{};
};

/// Signs this, books what it may cost, writes it down and sends it.
struct prepare
{
    operation what = operation::mint;
    std::string key{};
    evm::transaction transaction;
    std::uint64_t from_block = 0;
    bool replaces = false;  ///< the record's latest, at the same nonce
    bool cancels = false;   ///< it does nothing but take the nonce
};

/// Sends the record's bytes (again).
struct broadcast
{};

/// Nothing for now. Without a time: until something changes.
struct rest
{
    std::optional<std::chrono::milliseconds> for_time{};
};

using next_step = std::variant<ask, take_turn, tell, prepare, broadcast, rest>;

/// What to do next for one request; pure, so that every fault can be written down as a case. Its rules
/// (ERC-8004 knows no doubles, so that all depends on them):
///   - what may be on its way is in the status before a node hears of it, and is followed to its end;
///   - a nonce counts as lost only when the transaction that took it was seen in a block deep enough;
///   - nothing is minted before it is certain that nothing was minted before;
///   - what a node does not know proves nothing.
next_step decide(const situation& of);

/// Of a receipt that is final: what its record was for has come to be, and the agent it is about.
/// errc::protocol says what is wrong with it.
result<u256> read_outcome(const situation& of, const evm::receipt& receipt);

}  // namespace portitor::registrar
