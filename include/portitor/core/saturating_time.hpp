#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace portitor {

/// Arithmetic of times for operands that come from outside: objects, headers, answers, files. The clocks
/// count nanoseconds in 64 bits, from 1677 to 2262, and an hour that is written down may lie behind that end:
/// there the plain operators overflow, which is undefined, and a date far ahead becomes one long past. These
/// stop at the end of the range instead, and are exact up to there. They do not throw.

namespace saturating_detail {

__extension__ typedef __int128 wide;

constexpr std::int64_t clamp(wide value) noexcept
{
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (value < least)
        return least;
    return value > most ? most : static_cast<std::int64_t>(value);
}

// A span in the unit of To, which is as fine or finer: in 128 bits each one fits.
template <typename To, typename Period>
constexpr wide count_in(std::chrono::duration<std::int64_t, Period> span) noexcept
{
    using factor = std::ratio_divide<Period, typename To::period>;
    static_assert(factor::den == 1, "a span in a finer unit than the time's has to be rounded first");
    return wide(span.count()) * factor::num;
}

}  // namespace saturating_detail

/// `time + span`, at the latest or earliest time of the clock where that lies behind it.
template <typename Clock, typename Duration, typename Period>
constexpr std::chrono::time_point<Clock, Duration> saturating_add(
    std::chrono::time_point<Clock, Duration> time, std::chrono::duration<std::int64_t, Period> span
) noexcept
{
    using namespace saturating_detail;
    const wide sum = wide(time.time_since_epoch().count()) + count_in<Duration>(span);
    return std::chrono::time_point<Clock, Duration>(Duration(clamp(sum)));
}

/// How long it is from one time to a later one; negative where it is earlier.
template <typename Clock, typename Duration>
constexpr Duration saturating_between(
    std::chrono::time_point<Clock, Duration> from, std::chrono::time_point<Clock, Duration> to
) noexcept
{
    using namespace saturating_detail;
    return Duration(clamp(wide(to.time_since_epoch().count()) - from.time_since_epoch().count()));
}

}  // namespace portitor
