#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace portitor::x402 {

/// What a facilitator's refusal says about the money.
enum class code_meaning : std::uint8_t
{
    refused,        ///< surely not settled: it comes from before the broadcast
    already_used,   ///< this very payment's nonce is used
    being_settled,  ///< the facilitator is at it already, or was: with what end, it does not say
    failed,         ///< where a transaction is named: it was mined, and failed; else as may_settle
    may_settle,     ///< a transaction may be on its way, or be mined
};

/// Who publishes a code; bits.
enum code_source : std::uint8_t
{
    spec_v1 = 1,  ///< x402 v1 specification section 9
    spec_v2 = 2,  ///< x402 v2 specification section 9
    sdk_v1 = 4,   ///< npm x402 1.2.0
    sdk_v2 = 8,   ///< npm @x402/core and @x402/evm 2.27.0, scheme "exact"
};

/// One published code of `invalidReason` and `errorReason`, and what it means where. /verify never moves
/// money: there a code is refused or already_used.
struct error_code
{
    std::string_view code;
    code_meaning after_verify;
    code_meaning after_settle;
    unsigned sources;  ///< of code_source
};

/// Every published code, sorted.
std::span<const error_code> error_codes() noexcept;

/// The published code, or null.
const error_code* find_error_code(std::string_view code) noexcept;

/// What `reason` means in an answer of /verify or of /settle. Codes are open strings. One that is not
/// published is a refusal of /verify; of /settle it means may_settle, as only the published ones are known to
/// come from before the broadcast. Either way it is a used nonce where it ends as those do.
code_meaning meaning_after_verify(std::string_view reason) noexcept;
code_meaning meaning_after_settle(std::string_view reason) noexcept;

/// Whether a refusal of /verify with this reason may be for a used nonce, and does not say so: the SDK finds
/// out why the simulation of an EIP-3009 payment fails, but of a Permit2 payment it does not look at the
/// nonce.
bool may_hide_used_nonce(std::string_view reason) noexcept;

}  // namespace portitor::x402
