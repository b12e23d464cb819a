#pragma once

#include <portitor/x402/payment.hpp>
#include <portitor/x402/payment_key.hpp>
#include <portitor/x402/requirement.hpp>
#include <portitor/x402/settlement_rules.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace portitor::x402 {

/// Where a payment stands. What each state means, and what leads out of it: payment_fsm.hpp.
enum class payment_state : std::uint8_t
{
    reserved,    ///< somebody works on it, nothing was sent
    verified,    ///< likewise, and the facilitator would settle it
    settling,    ///< a settle may have been sent
    unknown,     ///< nobody knows yet
    settled,     ///< paid, its answer not delivered
    delivering,  ///< one connection writes the answer
    delivered,   ///< over: it has bought its answer
    closed,      ///< over: it buys nothing here; used_cause says why
    expired,     ///< nobody can tell, and its validity is over
};

inline constexpr std::size_t payment_states = 9;

/// "reserved", "verified", …: as logs, metrics and the book name it.
const char* to_string(payment_state state) noexcept;
std::optional<payment_state> parse_payment_state(std::string_view name) noexcept;

/// Whether it can change no more, but for being forgotten: delivered and closed.
bool is_over(payment_state state) noexcept;

/// Why a payment can buy nothing (any more).
enum class used_cause : std::uint8_t
{
    sold,       ///< it has bought its answer here, or is on record for another request
    elsewhere,  ///< it was used before it came here, or elsewhere
    failed,     ///< it is used, and the settlement that we asked for failed
    withdrawn,  ///< cancelled by its payer, or its nonce used for something else: nothing was charged
    expired,    ///< its time is over, and nobody can tell what became of it
};

const char* to_string(used_cause cause) noexcept;
std::optional<used_cause> parse_used_cause(std::string_view name) noexcept;

/// How a settled payment was proved.
struct payment_proof
{
    std::string transaction;  ///< empty where nobody told it
    bool proven = true;       ///< the facilitator or the chain said that it is settled
};

/// What a payment was taken for: kept with the record and never compared. A settle that is sent again uses
/// it, whatever the seller's terms are by then; the book of sales tells it.
struct payment_terms
{
    payment_requirement wanted;
    std::string facilitator_url;
    std::string offer;      ///< "namespace/name"
    std::string offer_uid;  ///< of the payment_binding
    std::string method;
    std::string uri;         ///< its first 1 024 characters
    std::string request_id;  ///< of the request that made the record, for the log; may be empty

    std::string_view tenant() const noexcept;  ///< the offer's namespace
};

/// One payment on record.
struct payment_record
{
    payment_key key;
    payment_state state = payment_state::reserved;
    std::uint64_t revision = 0;  ///< grows by each change: what a compare-and-set compares
    std::uint64_t owner = 0;     ///< fencing token of who works on it; 0: nobody
    payment_digest digest{};     ///< digest_of() the first copy
    std::uint64_t began = 0;     ///< Unix seconds, by the store's clock
    std::uint64_t settled_at = 0;
    std::uint64_t ended_at = 0;      ///< when it was delivered, closed or expired
    std::uint64_t valid_before = 0;  ///< Unix seconds; 2^62 and more is 2^62
    /// What was taken, and what the payer signed (without `text`, `accepted` and `signature`, which are in no
    /// record: who reads it could not use the payment). Null once it is over.
    std::shared_ptr<const payment_terms> terms;
    std::shared_ptr<const payment> offered;
    settle_history history;
    std::string receipt;  ///< value of the receipt header, once settled
    payment_proof proof;
    used_cause cause = used_cause::sold;  ///< of closed
    bool reorganised = false;             ///< a reorganisation of the chain took the settlement back
    /// An owner died while it wrote the answer: the buyer may have read it, and gets it again.
    bool interrupted = false;
};

/// Of a payment, what records keep.
std::shared_ptr<const payment> without_secrets(const payment& offered);

}  // namespace portitor::x402
