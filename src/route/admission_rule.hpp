#pragma once

#include "route/route_record.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace portitor::route {

/// What a verifier writes into the status of a route.
enum class admission_act
{
    nothing,
    admit,   ///< it is served
    answer,  ///< it is served, and somebody has asked
    ask,     ///< it is refused here: who serves it?
    refuse,  ///< it is refused here, and nobody serves it
};

/// An act, or when to look again without one; neither: when something changes.
struct admission_step
{
    admission_act act = admission_act::nothing;
    std::optional<std::chrono::milliseconds> again = std::nullopt;
};

/// Decides what this verifier writes, so that `admitted` is the word of verifiers that live, and is written
/// once however many there are: who serves a route says so where nobody has; who refuses what others call
/// admitted asks, and says no where nobody answers. Time is this process's own: a question counts from when
/// it was seen here. One strand.
class admission_rule
{
public:
    /// How long a question waits for an answer.
    static constexpr std::chrono::milliseconds answer_limit{5'000};
    /// How long an answer is believed by who refuses the route.
    static constexpr std::chrono::milliseconds belief{60'000};
    /// How long after its answer a question is told of: whoever refuses the route still would have asked
    /// again.
    static constexpr std::chrono::milliseconds told{300'000};
    /// Who refuses a new generation leaves the first word to those who serve it.
    static constexpr std::chrono::milliseconds precedence{200};
    /// Between two questions about routes that were answered before, whatever their number.
    static constexpr std::chrono::milliseconds between_questions{100};
    /// How often it is looked whether what a route lacks is there.
    static constexpr std::chrono::milliseconds lack_period{10'000};

    /// Both must outlive this.
    admission_rule(const timekeeper& timers, const clock& wall) : timers_(timers), wall_(wall) {}

    admission_step decide(const route_record& route);

    /// The route is gone.
    void forget(const kube::object_key& route) { known_.erase(route); }

    /// How long a change is left to the other replicas first.
    std::chrono::milliseconds patience();

private:
    using time_point = timekeeper::time_point;

    /// What was seen of a route that is asked about, or is refused here.
    struct standing
    {
        std::int64_t generation = 0;
        time_point generation_seen{};
        std::string question;  ///< the last one
        time_point question_seen{};
        bool is_open = false;
        time_point answered_seen{};
        std::optional<time_point> turn;  ///< when to ask again
    };

    standing& look_at(const route_record& route);
    admission_step serve(const route_record& route);
    admission_step refuse(const route_record& route);
    admission_step ask_in_turn(standing& of);
    admission_step wait_until(time_point when);

    const timekeeper& timers_;
    const clock& wall_;
    std::map<kube::object_key, standing> known_;
    time_point next_turn_{};
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace portitor::route
