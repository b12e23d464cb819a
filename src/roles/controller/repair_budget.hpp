#pragma once

#include <algorithm>
#include <chrono>

namespace portitor::controller {

/// How often a child may be put right that somebody else keeps changing: a few times at once, then once a
/// second. Without it two writers would answer each other as fast as the API server lets them.
class repair_budget
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    void spend(time_point now) { spent_until_ = std::max(spent_until_, now) + period; }

    /// Until the next repair may be made; 0: now.
    std::chrono::milliseconds wait(time_point now) const
    {
        const auto left = spent_until_ - (at_once - 1) * period - now;
        return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(left));
    }

private:
    static constexpr std::chrono::seconds period{1};
    static constexpr int at_once = 5;

    time_point spent_until_{};
};

}  // namespace portitor::controller
