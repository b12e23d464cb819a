#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace portitor::x402 {

/// Why a payment is not taken: a code of the x402 specification in the payment's version, or of its SDK where
/// the specification has none (Permit2), and a sentence. Both may be shown.
struct refusal
{
    std::string code;
    std::string message;
};

/// The requirement that a payment meets, or why it meets none.
using match_outcome = std::variant<const payment_requirement*, refusal>;

/// Finds the requirement that a payment pays, field by field. In v2 `accepted` must equal the server's
/// requirement (numbers as integers, addresses in any case, every member of the server's `extra` present and
/// equal; more members are allowed); v1 knows only scheme and network. Then what was signed must fit:
/// recipient, amount, asset, spender. The time window is left to time_refusal(): a payment that was settled
/// before it ran out still has its grant coming. The result points into `requirements`.
match_outcome match(const payment& offered, std::span<const payment_requirement> requirements);

/// The least time that must be left for a settlement, as the reference facilitator demands it.
inline constexpr std::uint64_t settlement_seconds = 6;

/// How long a payment may be valid. A facilitator settles within maxTimeoutSeconds; what is valid for much
/// longer only has to be remembered for longer.
struct payment_validity
{
    std::chrono::seconds least{3'600};  ///< accepted whatever maxTimeoutSeconds is
    std::chrono::seconds clocks{300};   ///< how far a buyer's clock may be ahead
};

/// Why the payment cannot be settled now: validAfter <= now and validBefore >= now + 6 s must hold, and
/// validBefore <= now + max(maxTimeoutSeconds, least) + clocks. Empty where it can; else the message names
/// both times. No allowance is made for the start of the window of a buyer whose clock is ahead: the
/// reference facilitator makes none, the token itself demands validAfter < block time, so that such a
/// settlement would be lost, and the clients that there are sign validAfter 0 (v2) or ten minutes back (v1).
std::optional<refusal> time_refusal(
    const payment& offered,
    const payment_requirement& wanted,
    clock::time_point now,
    const payment_validity& validity = {}
);

}  // namespace portitor::x402
