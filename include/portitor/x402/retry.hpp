#pragma once

#include <portitor/core/u256.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace portitor::x402 {

/// The longest that a buyer is told to wait, whatever a facilitator asks for.
inline constexpr std::chrono::seconds longest_retry{60};

/// How long a buyer is told to wait before the same payment is sent again: as asked, but at least a second,
/// at most longest_retry, and not past the time until which the payment is good (`valid_before` and `now` in
/// Unix seconds). What is over, or about to be, can only be on record, where it is not good for less later.
inline std::chrono::seconds retry_for(std::chrono::seconds asked, const u256& valid_before, std::uint64_t now)
{
    using std::chrono::seconds;
    seconds longest = longest_retry;
    // One second early: the payment must still be good when it comes.
    const std::uint64_t soonest = now + 2;
    if (valid_before >= soonest && valid_before < soonest + static_cast<std::uint64_t>(longest.count()))
        longest = seconds(static_cast<std::int64_t>(static_cast<std::uint64_t>(valid_before) - now - 1));
    return std::clamp(asked, seconds(1), longest);
}

}  // namespace portitor::x402
