#include "catch.hpp"

#include <portitor/core/backoff.hpp>

#include <set>

using namespace portitor;
using namespace std::chrono_literals;

TEST_CASE("delays double, in the upper half of their step, up to the cap", "[core][backoff]")
{
    for (std::uint64_t seed = 0; seed < 50; ++seed)
    {
        backoff delays(100ms, 1s, seed);
        for (const auto step : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms})
        {
            const auto delay = delays.next();
            CHECK(delay >= step / 2);
            CHECK(delay <= step);
        }
    }
}

TEST_CASE("a reset starts over", "[core][backoff]")
{
    backoff delays(100ms, 10s, 1);
    for (int i = 0; i < 5; ++i)
        delays.next();
    CHECK(delays.failures() == 5);
    CHECK(delays.next() > 1s);
    delays.reset();
    CHECK(delays.failures() == 0);
    CHECK(delays.next() <= 100ms);
}

TEST_CASE("many failures do not overflow", "[core][backoff]")
{
    backoff delays(800ms, 30s, 1);
    for (int i = 0; i < 200; ++i)
    {
        const auto delay = delays.next();
        CHECK(delay > 0ms);
        CHECK(delay <= 30s);
    }
}

TEST_CASE("delays differ between clients", "[core][backoff]")
{
    std::set<std::chrono::milliseconds> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        seen.insert(backoff(10s, 10s, seed).next());
    CHECK(seen.size() > 10);
}
