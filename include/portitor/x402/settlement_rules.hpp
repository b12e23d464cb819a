#pragma once

#include <portitor/x402/facilitator.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What may be concluded about a payment from what a facilitator and a chain say of it: pure, without I/O.
namespace portitor::x402 {

/// What one settlement came to, as far as it tells about the money.
enum class settle_word : std::uint8_t
{
    settled,        ///< the money moved
    refused,        ///< the facilitator stopped before it sent a transaction
    nonce_used,     ///< the payment's nonce is used, by whomever
    being_settled,  ///< the facilitator has settled it already, or is about to: it does not say with what end
    failed,         ///< the facilitator's transaction was mined, and failed
    doubt,          ///< a transaction may have been sent: no answer, a vague one, a 5xx, one under way
    not_sent,       ///< the facilitator never saw the question
};

settle_word word_of(const settle_outcome& outcome);

/// Whether the money may have moved, for all that it says.
bool leaves_doubt(settle_word said) noexcept;

/// What earlier settlements of one payment left behind. A payment without doubt has been through none.
struct settle_history
{
    bool doubt = false;                 ///< one of them may have moved the money
    bool failed = false;                ///< a transaction of one failed, says the facilitator
    bool doubt_before_failure = false;  ///< when the first failed, one before it may have moved the money
    bool unnamed = false;               ///< one may have moved the money by a transaction that nobody named
    std::vector<std::string> open;  ///< transactions that may have moved it, as far as the facilitator says
    std::vector<std::string> told;  ///< transactions that the facilitator named, the latest last

    /// Adds a settlement that was sent.
    void add(const settle_outcome& outcome);

    /// Whether one of them, other than those that failed, may have moved the money.
    bool maybe_settled() const noexcept { return unnamed || !open.empty(); }
};

/// What the chain says of a payment.
enum class chain_word : std::uint8_t
{
    nobody,     ///< there is no node to ask
    silent,     ///< not asked, no answer, or a payment that cannot be looked up
    ours,       ///< settled, by a settlement of ours as far as can be seen
    elsewhere,  ///< settled, but surely not by one of ours
    ended,      ///< cancelled by its payer, or its nonce was used for something else
    dead,       ///< not settled, and too late for it
    open,       ///< not settled yet
};

/// How much earlier than our own record of a payment its settlement may have been mined and still be ours:
/// clocks differ, and blocks bear the time at which they were begun.
inline constexpr std::chrono::seconds mined_before_us{60};

/// Whether a finding counts that lacks confirmations.
enum class finality : std::uint8_t
{
    confirmed,  ///< it is `open` until it has them
    vouched,    ///< the facilitator says that it settled, too, so it counts as soon as it is in a block
};

/// `began`: when this payment was first seen here, in Unix seconds.
chain_word word_of(
    const settlement_finding& found,
    const settle_history& history,
    std::uint64_t began,
    finality wanted = finality::confirmed
);

/// What follows.
enum class ruling : std::uint8_t
{
    grant,           ///< it is settled, by us
    grant_unproven,  ///< its nonce is used, and our own settlement was in doubt: nobody else is known to have
    refuse,          ///< surely not settled: the payment is free again, and another may be asked for
    not_taken,       ///< surely not settled, as nothing was sent: the same payment may be tried again
    elsewhere,       ///< used before it came here: never granted here, never asked for again
    failed,          ///< used, and our own transaction failed: likewise
    withdrawn,       ///< it can never settle any more, and nothing was charged; not asked for again
    dead,            ///< it can never settle any more: another may be asked for
    expired,         ///< nobody can tell, and its time is over
    unknown,         ///< nobody can tell yet
};

/// What the chain's word alone decides; empty where it decides nothing.
std::optional<ruling> rule_of_chain(chain_word chain);

/// What follows from a facilitator's success where the node is asked about it: `chain` is what that says. It
/// was mined before our record began, or ended otherwise: no grant, whatever the facilitator says.
ruling rule_of_receipt(chain_word chain);

/// What follows from a settlement that was just tried. `before` is what the earlier ones left; `expired`
/// whether the payment's time is surely over.
///
/// A refusal counts only as the answer to the one and only settlement: once there was doubt, only the chain
/// says that nothing was charged. Where there is no node a used nonce is the grant after doubt, as our own
/// settlement is the only one that is known of; it is none as the first word about a payment, nor after our
/// own transaction failed, unless it failed because an earlier one of ours, in doubt, may have been first.
/// Where there is one, its word is waited for: a payer may have cancelled.
ruling rule(settle_word said, const settle_history& before, chain_word chain, bool expired);

}  // namespace portitor::x402
