#include "catch.hpp"
#include "roles/controller/route_window.hpp"

using namespace portitor;
using namespace portitor::controller;
using namespace std::chrono_literals;

namespace {

using keys = std::vector<kube::object_key>;

kube::object_key offer(std::size_t number, const char* ns = "shop")
{
    return {ns, "offer-" + std::to_string(number)};
}

/// A namespace whose places are all taken, the writes being done: generation 1 of each.
struct busy
{
    route_window window;
    route_window::time_point now{1h};

    busy()
    {
        for (std::size_t i = 0; i < route_window::places; ++i)
        {
            CHECK(window.wait(offer(i), now) == 0ms);
            window.take(offer(i), now);
            CHECK(window.written(offer(i), 1, now).empty());
        }
    }

    /// It has looked, and has to wait.
    void stand(std::size_t number)
    {
        CHECK(window.wait(offer(number), now) > 0ms);
        window.stand(offer(number));
    }
};

}  // namespace

TEST_CASE("so many routes of a namespace are before the gateway at a time", "[controller][window]")
{
    busy all;
    CHECK(all.window.wait(offer(20), all.now) == 5s);
    CHECK(all.window.wait(offer(3), all.now) == 5s);  // again
    CHECK(all.window.wait(offer(20, "other"), all.now) == 0ms);
}

TEST_CASE("a place is free once the gateway has judged what was written", "[controller][window]")
{
    busy all;
    all.stand(20);
    CHECK(all.window.judged(offer(0), 0, all.now).empty());  // what was there before
    CHECK(all.window.judged(offer(0), 1, all.now) == keys{offer(20)});
    CHECK(all.window.wait(offer(20), all.now) == 0ms);
    // Nobody is told twice for one place.
    CHECK(all.window.judged(offer(0), 1, all.now).empty());
    all.window.take(offer(20), all.now);
    CHECK(all.window.wait(offer(0), all.now) == 5s);
}

TEST_CASE("a verdict that is quicker than the answer to the write counts", "[controller][window]")
{
    busy all;
    CHECK(all.window.judged(offer(0), 1, all.now).empty());
    all.window.take(offer(20), all.now);
    all.stand(21);
    CHECK(all.window.judged(offer(20), 7, all.now).empty());
    CHECK(all.window.written(offer(20), 7, all.now) == keys{offer(21)});
}

TEST_CASE("a write that failed, and a route that is gone, take no place", "[controller][window]")
{
    busy all;
    all.stand(20);
    all.stand(21);
    all.window.take(offer(0), all.now);  // once more
    CHECK(all.window.written(offer(0), std::nullopt, all.now) == keys{offer(20)});
    CHECK(all.window.judged(offer(1), std::nullopt, all.now) == keys{offer(20), offer(21)});
}

TEST_CASE("a route that nobody judges has its place for five seconds", "[controller][window]")
{
    busy all;
    all.stand(20);
    all.now += 2s;
    CHECK(all.window.wait(offer(20), all.now) == 3s);
    all.now += 3s;
    CHECK(all.window.wait(offer(20), all.now) == 0ms);
}

TEST_CASE("a place goes to whoever has waited longest", "[controller][window]")
{
    busy all;
    for (const std::size_t each : {22U, 20U, 21U})
        all.stand(each);
    CHECK(all.window.judged(offer(0), 1, all.now) == keys{offer(22)});
    CHECK(all.window.wait(offer(22), all.now) == 0ms);
    CHECK(all.window.wait(offer(20), all.now) > 0ms);
    // Also before one who comes when a place is free.
    CHECK(all.window.wait(offer(23), all.now) > 0ms);
    // One who has nothing to write any more stands in nobody's way.
    all.window.leave(offer(22), all.now);
    CHECK(all.window.wait(offer(20), all.now) == 0ms);
    CHECK(all.window.wait(offer(21), all.now) > 0ms);
}
