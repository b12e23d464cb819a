#include "catch.hpp"

#include <portitor/x402/payment_fsm.hpp>

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

using namespace portitor;
using namespace portitor::x402;

namespace {

using state = payment_state;
using event = payment_event;

constexpr std::array<state, payment_states> every_state{
    state::reserved,
    state::verified,
    state::settling,
    state::unknown,
    state::settled,
    state::delivering,
    state::delivered,
    state::closed,
    state::expired,
};

// A row for each event, a column for each state: what is next, and what is to be done. "." stands for "it
// stays, and this cannot happen", "-" for the same state, "gone" for forgotten.
struct row
{
    const char* event;
    std::array<const char*, payment_states> steps;
};

// clang-format off
constexpr row table[] = {
    //                      reserved            verified            settling               unknown               settled             delivering          delivered    closed       expired
    {"copy_free",            {"gone restart",    "gone restart",     "unknown resolve",     "- resolve",          "delivering grant", "- grant",          "- refuse",  "- refuse",  "- look_up"}},
    {"copy_taken",           {"- wait",          "- wait",           "- wait",              "- wait",             "- wait",           "- wait",           "- refuse",  "- refuse",  "- refuse"}},
    {"other_free",           {"gone restart",    "gone restart",     "- refuse",            "- refuse",           "- refuse",         "- refuse",         "- refuse",  "- refuse",  "- refuse"}},
    {"other_taken",          {"- wait",          "- wait",           "- wait",              "- refuse",           "- refuse",         "- refuse",         "- refuse",  "- refuse",  "- refuse"}},
    {"verify_valid",         {"verified proceed", ".",               ".",                   ".",                  ".",                ".",                ".",         ".",         "."}},
    {"verify_used",          {"gone refuse",     ".",                ".",                   ".",                  ".",                ".",                ".",         ".",         "."}},
    {"verify_refused",       {"gone ask_again",  ".",                ".",                   ".",                  ".",                ".",                ".",         ".",         "."}},
    {"verify_unavailable",   {"gone come_again", ".",                ".",                   ".",                  ".",                ".",                ".",         ".",         "."}},
    {"unserved",             {"gone nothing",    "gone nothing",     ".",                   ".",                  ".",                ".",                ".",         ".",         "."}},
    {"send",                 {".",               "settling settle",  "- settle",            "- settle",           ".",                ".",                ".",         ".",         "."}},
    {"ruled_grant",          {".",               ".",                "settled grant",       "settled grant",      ".",                ".",                ".",         ".",         "settled grant"}},
    {"ruled_grant_unproven", {".",               ".",                "settled grant",       "settled grant",      ".",                ".",                ".",         ".",         "."}},
    {"ruled_refuse",         {".",               ".",                "gone ask_again",      ".",                  ".",                ".",                ".",         ".",         "."}},
    {"ruled_not_taken",      {".",               ".",                "gone come_again",     ".",                  ".",                ".",                ".",         ".",         "."}},
    {"ruled_elsewhere",      {".",               ".",                "closed refuse",       "closed refuse",      ".",                ".",                ".",         ".",         "- refuse"}},
    {"ruled_failed",         {".",               ".",                "closed refuse",       "closed refuse",      ".",                ".",                ".",         ".",         "."}},
    {"ruled_withdrawn",      {".",               ".",                "closed refuse",       "closed refuse",      ".",                ".",                ".",         ".",         "- refuse"}},
    {"ruled_dead",           {".",               ".",                "gone ask_again",      "gone ask_again",     ".",                ".",                ".",         ".",         "- refuse"}},
    {"ruled_expired",        {".",               ".",                "expired refuse",      "expired refuse",     ".",                ".",                ".",         ".",         "- refuse"}},
    {"ruled_unknown",        {".",               ".",                "unknown come_again",  "- come_again",       ".",                ".",                ".",         ".",         "- refuse"}},
    {"taken",                {".",               ".",                ".",                   ".",                  "delivering grant", ".",                ".",         ".",         "."}},
    {"written",              {".",               ".",                ".",                   ".",                  ".",                "delivered nothing", ".",        ".",         "."}},
    {"connection_gone",      {".",               ".",                ".",                   ".",                  ".",                "settled nothing",  ".",         ".",         "."}},
    {"owner_dead",           {"gone nothing",    "gone nothing",     "unknown look_up",     "- look_up",          "- nothing",        "settled nothing",  "- nothing", "- nothing", "- nothing"}},
    {"lost",                 {"- follow",        "- follow",         "- follow",            "- follow",           "- follow",         "- follow",         "- follow",  "- follow",  "- follow"}},
};
// clang-format on

std::string text_of(state before, const payment_step& step)
{
    if (step.action == payment_action::impossible)
        return step.next == before ? "." : "impossible, but it changes";
    const std::string next = !step.next ? "gone" : *step.next == before ? "-" : to_string(*step.next);
    return next + " " + to_string(step.action);
}

event event_at(std::size_t index)
{
    return static_cast<event>(index);
}

bool is_ruling(event what)
{
    return what >= event::ruled_grant && what <= event::ruled_unknown;
}

template <typename Judge>
void for_each_step(Judge judge)
{
    for (const state each : every_state)
        for (std::size_t i = 0; i < payment_events; ++i)
        {
            INFO(to_string(each) << ", " << to_string(event_at(i)));
            judge(each, event_at(i), next_step(each, event_at(i)));
        }
}

}  // namespace

TEST_CASE("what follows from each event in each state of a payment", "[x402][fsm]")
{
    REQUIRE(std::size(table) == payment_events);
    for (std::size_t i = 0; i < payment_events; ++i)
    {
        REQUIRE(table[i].event == std::string_view(to_string(event_at(i))));
        for (std::size_t j = 0; j < payment_states; ++j)
        {
            INFO(table[i].event << " in " << to_string(every_state[j]));
            CHECK(text_of(every_state[j], next_step(every_state[j], event_at(i))) == table[i].steps[j]);
        }
    }
}

TEST_CASE("each ruling has its event", "[x402][fsm]")
{
    const std::map<ruling, std::string> names{
        {ruling::grant, "ruled_grant"},
        {ruling::grant_unproven, "ruled_grant_unproven"},
        {ruling::refuse, "ruled_refuse"},
        {ruling::not_taken, "ruled_not_taken"},
        {ruling::elsewhere, "ruled_elsewhere"},
        {ruling::failed, "ruled_failed"},
        {ruling::withdrawn, "ruled_withdrawn"},
        {ruling::dead, "ruled_dead"},
        {ruling::expired, "ruled_expired"},
        {ruling::unknown, "ruled_unknown"},
    };
    for (const auto& [ruled, name] : names)
        CHECK(to_string(event_of(ruled)) == name);
}

TEST_CASE("an answer is handed out from a settled payment only", "[x402][fsm]")
{
    for_each_step([](state before, event what, const payment_step& step) {
        if (step.next == state::delivering && before != state::delivering)
            CHECK(before == state::settled);
        if (step.next == state::settled && before != state::settled)
        {
            const bool proved = what == event::ruled_grant || what == event::ruled_grant_unproven;
            const bool came_back = before == state::delivering;
            CHECK((proved || came_back));
        }
        if (step.action != payment_action::grant)
            return;
        const bool hands_out = step.next == state::delivering;
        const bool becomes_settled = step.next == state::settled && is_ruling(what);
        CHECK((hands_out || becomes_settled));
    });
}

TEST_CASE("a settle is sent after a verification, and only what was sent can be settled", "[x402][fsm]")
{
    for_each_step([](state before, event what, const payment_step& step) {
        if (step.next == state::settling && before != state::settling)
        {
            CHECK(before == state::verified);
            CHECK(what == event::send);
        }
        if (step.action == payment_action::settle)
            CHECK((step.next == state::settling || step.next == state::unknown));
    });
}

TEST_CASE("a payment in doubt is forgotten only where surely nothing was charged", "[x402][fsm]")
{
    for_each_step([](state before, event what, const payment_step& step) {
        if (step.next || before == state::reserved || before == state::verified)
            return;
        // The answer to the one and only settle, which comes while it is settling; or the chain's word.
        const bool only_settle =
            before == state::settling && (what == event::ruled_refuse || what == event::ruled_not_taken);
        const bool in_doubt = before == state::settling || before == state::unknown;
        CHECK((only_settle || (in_doubt && what == event::ruled_dead)));
    });
}

TEST_CASE("nobody is asked to pay anew but for what is forgotten", "[x402][fsm]")
{
    for_each_step([](state, event, const payment_step& step) {
        if (step.action == payment_action::ask_again)
            CHECK_FALSE(step.next.has_value());
    });
}

TEST_CASE("what is over stays over", "[x402][fsm]")
{
    for_each_step([](state before, event, const payment_step& step) {
        if (is_over(before))
            CHECK(step.next == before);
    });
}

TEST_CASE("whoever loses a race, or is told what cannot be, changes and grants nothing", "[x402][fsm]")
{
    for_each_step([](state before, event what, const payment_step& step) {
        if (what == event::lost)
            CHECK(step == payment_step{before, payment_action::follow});
        if (step.action == payment_action::impossible)
            CHECK(step.next == before);
    });
}

TEST_CASE("copies wait while somebody works on a payment, and never grant themselves", "[x402][fsm]")
{
    for_each_step([](state before, event what, const payment_step& step) {
        const bool taken = what == event::copy_taken || what == event::other_taken;
        if (taken)
        {
            CHECK(step.next == before);
            CHECK((step.action == payment_action::wait || step.action == payment_action::refuse));
        }
        if (what == event::other_free || what == event::other_taken)
            CHECK(step.action != payment_action::grant);
    });
}
