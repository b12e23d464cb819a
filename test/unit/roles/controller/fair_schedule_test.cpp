#include "catch.hpp"
#include "roles/controller/fair_schedule.hpp"

#include <map>
#include <random>
#include <vector>

using namespace portitor;
using namespace portitor::controller;
using namespace std::chrono_literals;

namespace {

const timekeeper::time_point start{1h};

fair_schedule::item
of(std::vector<std::string> namespaces, std::chrono::seconds after = 0s, std::string group = "")
{
    return {std::move(namespaces), std::move(group), start + after};
}

// The numbers of all that can be taken now, none of which is given back.
std::vector<fair_schedule::id> take_all(fair_schedule& from, timekeeper::time_point now)
{
    std::vector<fair_schedule::id> out;
    while (const auto next = from.take(now))
        out.push_back(next->what);
    return out;
}

using ids = std::vector<fair_schedule::id>;

}  // namespace

TEST_CASE("what is due goes by namespace in turn, and by time within one", "[controller][shares]")
{
    fair_schedule all({});
    all.add(1, of({"a"}, 3s));
    all.add(2, of({"a"}, 1s));
    all.add(3, of({"a"}, 2s));
    all.add(4, of({"b"}, 4s));
    all.add(5, of({"c"}, 9s));
    CHECK(take_all(all, start).empty());
    CHECK(all.next(start) == start + 1s);
    CHECK(take_all(all, start + 5s) == ids{2, 4, 3, 1});
    CHECK(all.next(start + 5s) == start + 9s);
}

TEST_CASE("a namespace, and a group in it, have only their share under way", "[controller][shares]")
{
    fair_schedule all({7, 3, 2});
    for (fair_schedule::id i = 1; i <= 5; ++i)
        all.add(i, of({"a"}, -1s, "web"));
    all.add(6, of({"a"}, 0s, "other"));
    all.add(7, of({"a"}, 0s, "third"));
    all.add(8, of({"b"}));
    all.add(9, of({"b"}));
    std::vector<fair_schedule::taken> taken;
    while (auto next = all.take(start))
        taken.push_back(*next);
    // Two of "web", one more of "a", and both of "b".
    CHECK(taken.size() == 5);
    CHECK(all.next(start) == timekeeper::time_point::max());
    std::map<std::string, int> by_group;
    for (const auto& each : taken)
        ++by_group[each.ns + "/" + each.group];
    CHECK(by_group["b/"] == 2);
    CHECK(by_group["a/web"] == 2);
    // What one gives back, the other may have; the share itself is never passed.
    for (const auto& each : taken)
    {
        if (each.ns == "a")
            all.give_back(each, start);
    }
    CHECK_FALSE(take_all(all, start).empty());
}

TEST_CASE("who is slow by his own doing is told from who waits for others", "[controller][shares]")
{
    fair_schedule all({2, 1, fair_shares::no_limit});
    all.add(1, of({"a"}));
    all.add(2, of({"a"}));
    const auto first = all.take(start);
    REQUIRE(first);
    CHECK_FALSE(first->own_share);
    CHECK_FALSE(all.take(start));
    all.give_back(*first, start + 5s);
    const auto second = all.take(start + 5s);
    REQUIRE(second);
    CHECK(second->late == 5s);
    CHECK(second->own_share);
    // With the other place taken too, who comes now waits for others.
    all.add(3, of({"b"}, 5s));
    const auto third = all.take(start + 5s);
    REQUIRE(third);
    all.add(4, of({"c"}, 5s));
    CHECK_FALSE(all.take(start + 5s));
    all.give_back(*second, start + 6s);
    const auto fourth = all.take(start + 6s);
    REQUIRE(fourth);
    CHECK(fourth->ns == "c");
    CHECK(fourth->late == 1s);
    CHECK_FALSE(fourth->own_share);
}

TEST_CASE("what several namespaces want is done on the share of whoever has one", "[controller][shares]")
{
    fair_schedule all({8, 1, fair_shares::no_limit});
    all.add(1, of({"a"}));
    REQUIRE(all.take(start));
    all.add(2, of({"a"}));
    all.add(3, of({"a", "b"}, 1s));
    const auto shared = all.take(start + 1s);
    REQUIRE(shared);
    CHECK(shared->what == 3);
    CHECK(shared->ns == "b");
    CHECK_FALSE(all.take(start + 1s));
    // Nothing of it is left in the other line.
    all.remove(2);
    CHECK(all.next(start + 1s) == timekeeper::time_point::max());
    all.add(3, of({"a", "b"}, 2s));
    all.remove(3);
    CHECK(all.next(start + 9s) == timekeeper::time_point::max());
}

TEST_CASE("a thousand slow ones leave the others their time", "[controller][shares]")
{
    // As the controller shares: 64 at a time, 16 of one namespace; each slow one takes five seconds.
    fair_schedule all({64, 16, 4});
    fair_schedule::id last = 0;
    const auto hostile = GENERATE(1, 3, 12, 40);
    for (int ns = 0; ns < hostile; ++ns)
    {
        for (int i = 0; i < 1000; ++i)
            all.add(++last, of({"slow-" + std::to_string(ns)}, 0s, "service-" + std::to_string(i % 100)));
    }
    const fair_schedule::id slow = last;
    for (int i = 0; i < 20; ++i)
        all.add(++last, of({"quick"}, std::chrono::seconds(10 + i), "web"));
    std::multimap<timekeeper::time_point, fair_schedule::taken> under_way;
    std::chrono::nanoseconds worst{};
    int quick = 0;
    for (auto now = start; now < start + 60s; now += 20ms)
    {
        while (!under_way.empty() && under_way.begin()->first <= now)
        {
            const auto done = under_way.extract(under_way.begin()).mapped();
            all.give_back(done, now);
            all.add(done.what, of({done.ns}, 0s, done.group));
        }
        while (auto next = all.take(now))
        {
            CHECK((next->what <= slow || next->ns == "quick"));
            if (next->ns == "quick")
            {
                ++quick;
                worst = std::max(worst, next->late);
                all.give_back(*next, now);
            }
            else
                under_way.emplace(now + 5s + std::chrono::milliseconds(7 * next->what % 500), *next);
        }
        REQUIRE(under_way.size() <= 64);
    }
    CHECK(quick == 20);
    // Also where there are so many that not each of them can have its full share.
    CHECK(worst < 50ms);
}

TEST_CASE("who comes finds a place left by those that are there", "[controller][shares]")
{
    fair_schedule all({8, 8, fair_shares::no_limit});
    fair_schedule::id last = 0;
    for (const char* ns : {"a", "b", "c", "d", "e", "f", "g"})
    {
        for (int i = 0; i < 9; ++i)
            all.add(++last, of({ns}));
    }
    CHECK(take_all(all, start).size() == 7);
    all.add(++last, of({"last"}));
    CHECK(take_all(all, start) == ids{last});
}

TEST_CASE("whatever is added, removed, taken and given back, all of it is taken once", "[controller][shares]")
{
    for (unsigned seed = 1; seed <= 5; ++seed)
    {
        CAPTURE(seed);
        std::mt19937 random(seed);
        fair_schedule all({5, 3, 2});
        std::map<fair_schedule::id, bool> waits;
        std::vector<fair_schedule::taken> under_way;
        auto now = start;
        for (int step = 0; step < 4000; ++step)
        {
            const fair_schedule::id which = random() % 40;
            const unsigned what = random() % 4;
            if (what == 0)
            {
                std::vector<std::string> namespaces{std::to_string(which % 4)};
                if (which % 5 == 0)
                    namespaces.push_back("shared");
                all.add(
                    which, {namespaces, std::to_string(which % 3), now + std::chrono::seconds(random() % 5)}
                );
                waits[which] = true;
            }
            else if (what == 1 && random() % 4 == 0)
            {
                all.remove(which);
                waits.erase(which);
            }
            else if (what == 2)
            {
                if (const auto next = all.take(now))
                {
                    CHECK(waits.erase(next->what) == 1);
                    under_way.push_back(*next);
                }
            }
            else if (!under_way.empty())
            {
                all.give_back(under_way.back(), now);
                under_way.pop_back();
            }
            std::map<std::string, std::size_t> of_namespace;
            std::map<std::string, std::size_t> of_group;
            for (const auto& each : under_way)
            {
                CHECK(++of_namespace[each.ns] <= 3);
                CHECK(++of_group[each.ns + "/" + each.group] <= 2);
            }
            CHECK(under_way.size() <= 5);
            now += std::chrono::milliseconds(random() % 300);
        }
        for (const auto& each : under_way)
            all.give_back(each, now);
        now += 10s;
        while (const auto next = all.take(now))
        {
            CHECK(waits.erase(next->what) == 1);
            all.give_back(*next, now);
        }
        CHECK(waits.empty());
        CHECK(all.next(now) == timekeeper::time_point::max());
    }
}
