#pragma once

#include <algorithm>
#include <chrono>

namespace portitor::controller {

/// How often something may be written again: a few times at once, then once in a period.
template <int AtOnce, int Seconds>
class write_budget
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
    static constexpr std::chrono::seconds period{Seconds};
    static constexpr int at_once = AtOnce;

    time_point spent_until_{};
};

/// Of a child that somebody else keeps changing. Without it two writers would answer each other as fast as
/// the API server lets them.
using repair_budget = write_budget<5, 1>;

/// Of a status in other words that say the same: an upstream that fails in a new way each time it is asked
/// would cost a write each time.
using words_budget = write_budget<3, 60>;

/// Of a status that says again what it has said of this generation before: an upstream or a verifier that
/// comes and goes would cost two writes each time.
using recovery_budget = write_budget<3, 30>;

}  // namespace portitor::controller
