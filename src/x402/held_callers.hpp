#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/facilitator.hpp>

#include <cstddef>
#include <string>
#include <unordered_map>

namespace portitor::x402 {

/// Who is held back because a facilitator asked to wait (429, 503 with Retry-After). At first the payer that
/// was told so; the whole offer once a second payer of it is told while the first is held, likewise its
/// namespace once a second offer of it is, and everybody once a second namespace is. Callers whose signature
/// is not proven are held apart from all others, and all of one offer as if they were one payer: they could
/// be any number. One strand.
class held_callers
{
public:
    using time_point = timekeeper::time_point;

    explicit held_callers(std::size_t most) : most_(most) {}

    void hold(const facilitator_caller& who, time_point until, time_point now);

    /// Until when calls of this caller are held; in the past for one who is not.
    time_point held_until(const facilitator_caller& who) const;

    /// Whether all proven callers are.
    bool holds_everybody(time_point now) const;
    /// Whether it remembers nothing that still counts.
    bool idle(time_point now) const;
    std::size_t size() const noexcept { return held_.size(); }

private:
    struct held
    {
        time_point until{};
        std::string part;  ///< the one within this that was held last
        time_point part_until{};

        bool over(time_point now) const { return until <= now && part_until <= now; }
    };

    bool has_room(const std::string& scope, std::size_t most, time_point now);

    std::size_t most_;
    std::unordered_map<std::string, held> held_;
};

}  // namespace portitor::x402
