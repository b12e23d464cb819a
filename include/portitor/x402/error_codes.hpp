#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace portitor::x402 {

/// What a facilitator's refusal says about the money.
enum class code_meaning : std::uint8_t
{
    refused,       ///< surely not settled
    already_used,  ///< this very payment was settled before, or is being settled, here or elsewhere
    may_settle,    ///< a transaction may be on its way, or be mined
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
/// money, so may_settle does not occur there.
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

/// What `reason` means in an answer of /verify or of /settle that names no transaction. Codes are open
/// strings: one that is not published means refused, unless it ends as those do that mean more.
code_meaning meaning_after_verify(std::string_view reason) noexcept;
code_meaning meaning_after_settle(std::string_view reason) noexcept;

}  // namespace portitor::x402
