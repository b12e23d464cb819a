#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace portitor::verifier {

/// How many lines may go to the log about what anybody can bring about: a few at once, then one a second. One
/// thread.
class line_budget
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Whether a line may be written now: then how many were not since the last one. Empty where it may not.
    std::optional<std::uint64_t> take(time_point now)
    {
        if (spent_until_ - now > (at_once - 1) * period)
        {
            ++withheld_;
            return std::nullopt;
        }
        spent_until_ = std::max(spent_until_, now) + period;
        const std::uint64_t out = withheld_;
        withheld_ = 0;
        return out;
    }

private:
    static constexpr std::chrono::seconds period{1};
    static constexpr int at_once = 10;

    time_point spent_until_{};
    std::uint64_t withheld_ = 0;
};

}  // namespace portitor::verifier
