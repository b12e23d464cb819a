#include "catch.hpp"
#include "roles/registrar/turn_queue.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

using namespace portitor;
using namespace portitor::registrar;
using portitor::kube::object_key;

namespace {

// What the queue is meant to do, told as simply as can be.
class model
{
public:
    bool take(const object_key& who)
    {
        if (holds(who))
            return true;
        if (turn != who && std::find(line.begin(), line.end(), who) == line.end())
            line.push_back(who);
        next();
        return holders.empty() && turn == who;
    }
    void hold(const object_key& who)
    {
        forget(who);
        holders.push_back(who);
    }
    std::optional<object_key> leave(const object_key& who)
    {
        const auto before = shown();
        forget(who);
        next();
        return shown() == before ? std::nullopt : shown();
    }
    std::size_t waiting() const { return line.size() + (turn && !holders.empty() ? 1 : 0); }

    std::vector<object_key> holders;
    std::optional<object_key> turn;
    std::deque<object_key> line;
    std::string last;

private:
    bool holds(const object_key& who) const
    {
        return std::find(holders.begin(), holders.end(), who) != holders.end();
    }
    std::optional<object_key> shown() const { return holders.empty() ? turn : std::nullopt; }
    void forget(const object_key& who)
    {
        std::erase(holders, who);
        std::erase(line, who);
        if (turn == who)
            turn.reset();
    }
    void next()
    {
        if (!holders.empty() || turn || line.empty())
            return;
        // The first namespace after the last one, or the first of all.
        std::optional<std::string> after;
        std::string first = line.front().ns;
        for (const object_key& each : line)
        {
            first = std::min(first, each.ns);
            if (each.ns > last && (!after || each.ns < *after))
                after = each.ns;
        }
        last = after.value_or(first);
        const auto chosen =
            std::find_if(line.begin(), line.end(), [&](const object_key& each) { return each.ns == last; });
        turn = *chosen;
        line.erase(chosen);
    }
};

}  // namespace

TEST_CASE("one has the turn, and the next one is told", "[registrar][turn_queue]")
{
    turn_queue turns;
    const object_key a{"shop", "a"};
    const object_key b{"shop", "b"};
    CHECK(turns.take(a));
    CHECK(turns.take(a));
    CHECK_FALSE(turns.take(b));
    CHECK_FALSE(turns.take(b));
    CHECK(turns.waiting() == 1);
    CHECK(turns.leave(a) == b);
    CHECK(turns.take(b));
    CHECK_FALSE(turns.take(a));
    // Who waits and goes is no news.
    CHECK_FALSE(turns.leave(a).has_value());
    CHECK_FALSE(turns.leave(b).has_value());
    CHECK_FALSE(turns.leave(b).has_value());
    CHECK(turns.waiting() == 0);
}

TEST_CASE("namespaces are served in turn, and in a namespace who came first", "[registrar][turn_queue]")
{
    turn_queue turns;
    object_key now{"many", "0"};
    CHECK(turns.take(now));
    for (int i = 1; i < 5; ++i)
        CHECK_FALSE(turns.take({"many", std::to_string(i)}));
    CHECK_FALSE(turns.take({"few", "z"}));
    CHECK_FALSE(turns.take({"few", "a"}));
    CHECK_FALSE(turns.take({"one", "x"}));
    std::vector<std::string> order;
    while (const auto next = turns.leave(now))
    {
        now = *next;
        order.push_back(now.to_string());
    }
    CHECK(
        order == std::vector<std::string>{"one/x", "few/z", "many/1", "few/a", "many/2", "many/3", "many/4"}
    );
}

TEST_CASE("whoever comes again and again does not keep others waiting", "[registrar][turn_queue]")
{
    turn_queue turns;
    const object_key greedy{"a", "greedy"};
    const object_key modest{"b", "modest"};
    CHECK(turns.take(greedy));
    CHECK_FALSE(turns.take(modest));
    CHECK(turns.leave(greedy) == modest);
    CHECK_FALSE(turns.take(greedy));
    CHECK(turns.leave(modest) == greedy);
}

TEST_CASE("nobody gets a turn while a nonce is not mined", "[registrar][turn_queue]")
{
    turn_queue turns;
    const object_key a{"shop", "a"};
    const object_key b{"shop", "b"};
    const object_key c{"games", "c"};
    SECTION("of the one whose turn it was")
    {
        CHECK(turns.take(a));
        CHECK_FALSE(turns.take(b));
        turns.hold(a);
        CHECK(turns.take(a));
        CHECK_FALSE(turns.take(b));
        CHECK(turns.leave(a) == b);
    }
    SECTION("of several, after a takeover")
    {
        CHECK(turns.take(b));
        turns.hold(a);
        turns.hold(c);
        turns.hold(c);
        CHECK(turns.take(a));
        CHECK(turns.take(c));
        // It had a turn, which stands back.
        CHECK_FALSE(turns.take(b));
        CHECK(turns.waiting() == 1);
        CHECK_FALSE(turns.leave(a).has_value());
        CHECK_FALSE(turns.take(b));
        CHECK(turns.leave(c) == b);
        CHECK(turns.take(b));
    }
    SECTION("and the one whose turn stands back goes away")
    {
        CHECK(turns.take(b));
        CHECK_FALSE(turns.take(c));
        turns.hold(a);
        CHECK_FALSE(turns.leave(b).has_value());
        CHECK(turns.leave(a) == c);
    }
}

TEST_CASE("the queue does what a simple one would", "[registrar][turn_queue]")
{
    std::mt19937 random(GENERATE(range(0, 20)));
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    turn_queue turns;
    model simple;
    for (int i = 0; i < 2000; ++i)
    {
        const object_key who{std::string(1, static_cast<char>('a' + below(4))), std::to_string(below(5))};
        switch (below(8))
        {
        case 0:
            turns.hold(who);
            simple.hold(who);
            break;
        case 1:
        case 2:
        case 3:
            REQUIRE(turns.take(who) == simple.take(who));
            break;
        case 4:
            // The one whose turn it is goes on.
            if (simple.turn)
            {
                const object_key now = *simple.turn;
                REQUIRE(turns.leave(now) == simple.leave(now));
            }
            break;
        default:
            REQUIRE(turns.leave(who) == simple.leave(who));
        }
        REQUIRE(turns.waiting() == simple.waiting());
    }
    // All of them go: nobody is left, and nobody is remembered.
    std::size_t served = 0;
    for (const object_key& each : std::vector<object_key>(simple.holders))
        REQUIRE(turns.leave(each) == simple.leave(each));
    while (simple.turn)
    {
        const object_key now = *simple.turn;
        REQUIRE(turns.take(now));
        REQUIRE(turns.leave(now) == simple.leave(now));
        ++served;
    }
    CHECK(turns.waiting() == 0);
    CHECK(served <= 20);
}
