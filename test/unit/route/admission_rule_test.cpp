#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "route/admission_rule.hpp"
#include "route_objects.hpp"

#include <portitor/kube/lease_record.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::route;
using namespace std::chrono_literals;

namespace {

struct set_clock final : clock
{
    time_point now() const override { return time; }
    time_point time = from_rfc3339("2026-11-24T20:00:00Z");
};

/// One status, and the verifiers that read and write it.
class world
{
public:
    struct replica
    {
        explicit replica(world& of, bool does_serve) : rule(of.timers, of.wall), serves(does_serve) {}
        admission_rule rule;
        bool serves;
    };

    test::manual_timekeeper timers;
    set_clock wall;
    route_record status;
    int writes = 0;

    world()
    {
        status.meta.ns = "shop";
        status.meta.name = "hello-payment";
        status.meta.generation = 1;
    }

    void pass(std::chrono::milliseconds time)
    {
        timers.advance(time);
        wall.time += time;
    }

    /// What the replica decides, from what is written now.
    admission_step decide(replica& who)
    {
        route_record seen = status;
        static const route_ptr some = samples::compile(samples::route_object()).value();
        if (who.serves)
            seen.served = some;
        else
            seen.refusal = "it is not on my list";
        return who.rule.decide(seen);
    }

    /// Of questions and answers the status has these.
    void say(std::string asked, std::string answered)
    {
        if (!asked.empty())
            status.last_question = std::make_shared<const route_question>(route_question{
                std::move(asked), "", "", std::move(answered)});
    }

    /// Decides, and writes it.
    admission_act act(replica& who)
    {
        const admission_act chosen = decide(who).act;
        switch (chosen)
        {
        case admission_act::nothing:
            return chosen;
        case admission_act::ask:
            say(kube::to_micro_time(wall.now()), status.last_question ? status.last_question->answered : "");
            break;
        case admission_act::admit:
        case admission_act::answer:
        case admission_act::refuse:
            status.admitted = status.judged_true = chosen != admission_act::refuse;
            status.judged_generation = status.meta.generation;
            status.judged_refused_by_some = chosen == admission_act::answer;
            if (status.admitted)
                status.last_admitted_generation = status.meta.generation;
            say(std::string(status.asked()), status.admitted ? std::string(status.asked()) : std::string());
            break;
        }
        ++writes;
        return chosen;
    }

    /// All decide until nobody writes any more.
    void settle(std::initializer_list<replica*> all)
    {
        for (bool goes_on = true; goes_on;)
        {
            goes_on = false;
            for (replica* each : all)
                goes_on = act(*each) != admission_act::nothing || goes_on;
        }
    }
};

}  // namespace

TEST_CASE("who serves a route says so once, however many they are", "[verifier][admission]")
{
    world all;
    world::replica a(all, true);
    world::replica b(all, true);
    world::replica c(all, true);
    all.settle({&a, &b, &c});
    CHECK(all.writes == 1);
    CHECK(all.status.called_admitted());
    all.status.meta.generation = 2;
    all.settle({&c, &b, &a});
    CHECK(all.writes == 2);
    all.pass(24h);
    all.settle({&a, &b, &c});
    CHECK(all.writes == 2);
}

TEST_CASE("who refuses what others serve asks, and is named", "[verifier][admission]")
{
    world all;
    world::replica server(all, true);
    world::replica refuser(all, false);
    world::replica other(all, false);
    // The first word is left to who serves it.
    CHECK(all.act(refuser) == admission_act::nothing);
    CHECK(all.act(server) == admission_act::admit);
    CHECK(all.act(refuser) == admission_act::ask);
    CHECK(all.act(refuser) == admission_act::nothing);
    CHECK(all.act(other) == admission_act::nothing);
    CHECK(all.act(server) == admission_act::answer);
    CHECK(all.status.called_admitted());
    CHECK(all.status.judged_refused_by_some);
    all.settle({&server, &refuser, &other});
    CHECK(all.writes == 3);

    // It is asked again after a minute, by one of them.
    all.pass(admission_rule::belief - 1ms);
    all.settle({&server, &refuser, &other});
    CHECK(all.writes == 3);
    all.pass(1ms);
    all.settle({&server, &refuser, &other});
    CHECK(all.writes == 5);

    // Once nobody asks any more it is told no longer.
    all.pass(admission_rule::told);
    CHECK(all.act(server) == admission_act::admit);
    CHECK_FALSE(all.status.judged_refused_by_some);
    all.settle({&server});
    CHECK(all.writes == 6);
}

TEST_CASE(
    "who refuses alone says no after five seconds, and who serves it later yes", "[verifier][admission]"
)
{
    world all;
    world::replica server(all, true);
    all.settle({&server});
    world::replica refuser(all, false);
    CHECK(all.act(refuser) == admission_act::ask);
    const admission_step waits = all.decide(refuser);
    REQUIRE(waits.again);
    CHECK(*waits.again >= admission_rule::answer_limit);
    CHECK(*waits.again <= admission_rule::answer_limit + 20ms);
    all.pass(admission_rule::answer_limit - 1ms);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(1ms);
    CHECK(all.act(refuser) == admission_act::refuse);
    CHECK_FALSE(all.status.admitted);
    CHECK(all.act(refuser) == admission_act::nothing);

    // It may only have been slow: then its yes is believed for a while, and nobody swings to and fro.
    CHECK(all.act(server) == admission_act::admit);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(admission_rule::belief - 1ms);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(1ms);
    CHECK(all.act(refuser) == admission_act::ask);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(admission_rule::answer_limit);
    CHECK(all.act(refuser) == admission_act::refuse);
    all.pass(24h);
    CHECK(all.act(refuser) == admission_act::nothing);
}

TEST_CASE("an old verifier, which answers no question, is not contradicted at once", "[verifier][admission]")
{
    world all;
    world::replica server(all, true);
    world::replica refuser(all, false);
    all.settle({&server});
    CHECK(all.act(refuser) == admission_act::ask);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(admission_rule::answer_limit);
    CHECK(all.act(refuser) == admission_act::refuse);
    CHECK(all.act(refuser) == admission_act::nothing);
    // It writes true over false, and nothing else.
    all.act(server);
    all.say(std::string(all.status.asked()), "");
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(admission_rule::answer_limit);
    CHECK(all.act(refuser) == admission_act::nothing);
}

TEST_CASE("a generation that nobody serves is refused, without a question", "[verifier][admission]")
{
    world all;
    world::replica refuser(all, false);
    CHECK(all.act(refuser) == admission_act::nothing);
    all.pass(admission_rule::precedence);
    CHECK(all.act(refuser) == admission_act::refuse);
    all.settle({&refuser});
    CHECK(all.writes == 1);
}

TEST_CASE("a process that comes to an old answer asks at once", "[verifier][admission]")
{
    world all;
    world::replica server(all, true);
    world::replica refuser(all, false);
    all.settle({&server, &refuser});
    REQUIRE(all.status.judged_refused_by_some);
    all.pass(admission_rule::belief);
    world::replica restarted(all, false);
    CHECK(all.act(restarted) == admission_act::ask);
    // One that came since is believed.
    CHECK(all.act(server) == admission_act::answer);
    world::replica another(all, false);
    CHECK(all.act(another) == admission_act::nothing);
}

TEST_CASE("questions that are asked again come one at a time", "[verifier][admission]")
{
    world all;
    world::replica refuser(all, false);
    std::vector<route_record> routes;
    for (int i = 0; i < 50; ++i)
    {
        route_record each = all.status;
        each.meta.name = "r" + std::to_string(i);
        each.refusal = "no";
        each.admitted = each.judged_true = true;
        each.judged_generation = each.last_admitted_generation = 1;
        const std::string when = "2026-11-24T20:00:00.000000Z";
        each.last_question = std::make_shared<const route_question>(route_question{when, "", "", when});
        routes.push_back(each);
        CHECK(refuser.rule.decide(each).act == admission_act::nothing);
    }
    all.pass(admission_rule::belief);
    const auto asked = [&] {
        return std::count_if(routes.begin(), routes.end(), [&](const route_record& each) {
            return refuser.rule.decide(each).act == admission_act::ask;
        });
    };
    CHECK(asked() == 1);
    for (int i = 2; i <= 50; ++i)
    {
        all.pass(admission_rule::between_questions);
        CHECK(asked() == i);
    }
}
