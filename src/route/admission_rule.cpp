#include "route/admission_rule.hpp"

#include <algorithm>

namespace portitor::route {

namespace {

constexpr int longest_patience_ms = 20;

}  // namespace

std::chrono::milliseconds admission_rule::patience()
{
    std::uniform_int_distribution<int> draw(0, longest_patience_ms);
    return std::chrono::milliseconds(draw(random_));
}

admission_step admission_rule::decide(const route_record& route)
{
    const bool refused = !route.refusal_now().empty();
    admission_step out = refused ? refuse(route) : serve(route);
    // Nothing tells of a file that has come.
    if (refused && route.served)
        out.again = std::min(out.again.value_or(lack_period), lack_period);
    return out;
}

// That a route is called admitted anew is an answer too: then who serves it has spoken after the question.
admission_rule::standing& admission_rule::look_at(const route_record& route)
{
    const time_point now = timers_.now();
    const auto [at, is_new] = known_.try_emplace(route.meta.key());
    standing& out = at->second;
    if (out.generation != route.meta.generation)
    {
        out.generation = route.meta.generation;
        out.generation_seen = now;
    }
    const bool is_open = route.has_open_question() && route.called_admitted();
    if (is_new || out.question != route.asked())
    {
        out.question = route.asked();
        out.question_seen = now;
        out.is_open = is_open;
        out.answered_seen = now;
        out.turn.reset();
        // One that was answered before this process came counts from when it was asked.
        if (is_new && !is_open && !route.asked().empty())
        {
            const auto age = wall_.now() - from_rfc3339(route.asked());
            out.answered_seen -= std::clamp<clock::time_point::duration>(age, age.zero(), told);
        }
    }
    else if (out.is_open && !is_open)
    {
        out.is_open = false;
        out.answered_seen = now;
    }
    return out;
}

admission_step admission_rule::serve(const route_record& route)
{
    if (!route.called_admitted())
        return {admission_act::admit};
    if (route.has_open_question())
        return {admission_act::answer};
    if (!route.judged_refused_by_some)
    {
        forget(route.meta.key());
        return {};
    }
    const time_point over = look_at(route).answered_seen + told;
    return timers_.now() >= over ? admission_step{admission_act::admit} : wait_until(over);
}

admission_step admission_rule::refuse(const route_record& route)
{
    standing& of = look_at(route);
    const time_point now = timers_.now();
    if (!route.judged())
    {
        const time_point turn = of.generation_seen + precedence;
        return now >= turn ? admission_step{admission_act::refuse} : wait_until(turn);
    }
    if (!route.admitted)
        return {};
    if (of.is_open)
    {
        const time_point limit = of.question_seen + answer_limit;
        return now >= limit ? admission_step{admission_act::refuse} : wait_until(limit);
    }
    if (of.question.empty())
        return {admission_act::ask};
    const time_point doubt = of.answered_seen + belief;
    return now >= doubt ? ask_in_turn(of) : wait_until(doubt);
}

admission_step admission_rule::ask_in_turn(standing& of)
{
    const time_point now = timers_.now();
    if (!of.turn)
    {
        of.turn = std::max(now, next_turn_);
        next_turn_ = *of.turn + between_questions;
    }
    return now >= *of.turn ? admission_step{admission_act::ask} : wait_until(*of.turn);
}

// Others wait for the same moment.
admission_step admission_rule::wait_until(time_point when)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - timers_.now());
    return {admission_act::nothing, left + patience()};
}

}  // namespace portitor::route
