#include "../../offer/offer_world.hpp"
#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "roles/controller/memory.hpp"

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using test::world;

namespace {

/// What the controller would remember of an offer that is sold.
struct remembered
{
    world all;
    test::manual_timekeeper time;
    memory past{time};
    const kube::object_key key = all.offer->meta.key();

    remembered()
    {
        all.sell();
        recall();
    }

    offer::child recall(child_kind kind = child_kind::http_route)
    {
        observation seen = all.observation();
        past.recall(seen);
        return seen.children[kind];
    }

    void applied(std::string failure, bool repaired = false)
    {
        past.note_report(key, {"", {{child_kind::http_route, std::move(failure), repaired}}, {}});
    }
};

}  // namespace

TEST_CASE(
    "an upstream that fails in ever new ways costs a few writes, then one a minute", "[controller][status]"
)
{
    using namespace std::chrono_literals;
    remembered of;
    int writes = 0;
    // Asked every two seconds for ten minutes, as an upstream that has failed is.
    for (int i = 0; i < 300; ++i)
    {
        of.all.unhealthy(std::min(i + 1, 100), "HTTP " + std::to_string(500 + i % 2));
        observation seen = of.all.observation();
        of.past.recall(seen);
        const plan todo = make_plan(seen, of.all.settings, of.all.now);
        of.past.note_plan(of.all.offer->meta, todo);
        of.all.carry_out(todo);
        writes += todo.status ? 1 : 0;
        of.time.advance(2s);
    }
    // Unhealthy, suspended, three in other words, and one in each minute.
    CHECK(writes >= 10);
    CHECK(writes <= 2 + 3 + 10 + 1);
}

TEST_CASE(
    "an upstream that comes and goes costs six writes, then four a minute; it never waits to be told as gone",
    "[controller][status]"
)
{
    using namespace std::chrono_literals;
    remembered of;
    const auto turn = [&of] {
        observation seen = of.all.observation();
        of.past.recall(seen);
        const plan todo = make_plan(seen, of.all.settings, of.all.now);
        CHECK((todo.status || todo.notes.empty()));
        of.past.note_plan(of.all.offer->meta, todo);
        of.all.carry_out(todo);
        of.time.advance(6s);
        return todo.status ? 1 : 0;
    };
    // It is sold before: that it is Ready is no recovery yet.
    of.all.unhealthy(1, "HTTP 500");
    turn();
    of.all.healthy();
    turn();
    int writes = 0;
    for (int i = 0; i < 50; ++i)
    {
        of.all.unhealthy(1, "HTTP 500");
        const bool was_ready = of.all.verdict("Ready").starts_with("True");
        const int told = turn();
        CHECK(told == (was_ready ? 1 : 0));
        of.all.healthy();
        writes += told + turn();
    }
    CHECK(writes >= 20);
    CHECK(writes <= 6 + 2 * 20);
    // Another generation has its own.
    of.all.edit("/spec/upstream/healthPath", "\"/other\"");
    of.all.healthy();
    CHECK(turn() == 1);
    CHECK(of.all.verdict("UpstreamHealthy") == "True/Healthy");
}

TEST_CASE("repairs are five at once, then one a second", "[controller][repair]")
{
    using namespace std::chrono_literals;
    repair_budget budget;
    auto now = std::chrono::steady_clock::time_point(1h);
    for (int i = 0; i < 5; ++i)
    {
        CHECK(budget.wait(now) == 0ms);
        budget.spend(now);
    }
    CHECK(budget.wait(now) == 1s);
    CHECK(budget.wait(now + 400ms) == 600ms);
    now += 1s;
    CHECK(budget.wait(now) == 0ms);
    budget.spend(now);
    CHECK(budget.wait(now) == 1s);
    now += 1h;
    for (int i = 0; i < 5; ++i)
    {
        CHECK(budget.wait(now) == 0ms);
        budget.spend(now);
    }
    CHECK(budget.wait(now) == 1s);
}

TEST_CASE("what went wrong with a child is remembered until it goes right", "[controller][memory]")
{
    remembered of;
    of.applied("403: forbidden");
    CHECK(of.recall().error == "403: forbidden");
    CHECK(of.recall(child_kind::middleware).error.empty());
    of.applied("");
    CHECK(of.recall().error.empty());
}

TEST_CASE("who deleted a child is remembered: somebody else, or we ourselves", "[controller][memory]")
{
    remembered of;
    const kube::object_meta child = of.all.seen.http_route->meta;
    of.past.note_gone(child_kind::http_route, child, {of.key, {"shop", "never-looked-at"}});
    CHECK(of.recall().lost);
    CHECK_FALSE(of.recall().taken_down);
    of.applied("");
    CHECK_FALSE(of.recall().lost);

    plan todo;
    todo.removes.push_back({child_kind::http_route, child.key(), child.uid});
    of.past.note_plan(of.all.offer->meta, todo);
    of.past.note_gone(child_kind::http_route, child, {of.key});
    CHECK_FALSE(of.recall().lost);
    CHECK(of.recall().taken_down);
    of.past.forget(of.key);
    CHECK_FALSE(of.recall().taken_down);
}

TEST_CASE("repairs of a child have to wait once there were many", "[controller][memory]")
{
    remembered of;
    for (int i = 0; i < 5; ++i)
    {
        CHECK(of.recall().wait.count() == 0);
        of.applied("", true);
    }
    CHECK(of.recall().wait == std::chrono::seconds(1));
    of.time.advance(std::chrono::seconds(1));
    CHECK(of.recall().wait.count() == 0);
}

TEST_CASE("our own write is waited for", "[controller][memory]")
{
    remembered of;
    of.past.note_report(of.key, {"1000", {}, {}});
    CHECK(of.past.wait_for_echo(of.all.offer->meta) == std::chrono::seconds(2));
    of.time.advance(std::chrono::seconds(2));
    CHECK_FALSE(of.past.wait_for_echo(of.all.offer->meta));
}
