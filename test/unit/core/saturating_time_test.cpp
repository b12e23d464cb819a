#include "catch.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/saturating_time.hpp>

#include <random>
#include <vector>

using namespace portitor;
using namespace std::chrono_literals;

namespace {

using time_point = clock::time_point;
using std::chrono::nanoseconds;

// The same in numbers that hold every sum.
time_point clamped(long double since)
{
    constexpr auto least = static_cast<long double>(nanoseconds::min().count());
    constexpr auto most = static_cast<long double>(nanoseconds::max().count());
    if (since <= least)
        return time_point::min();
    return since >= most ? time_point::max() : time_point(nanoseconds(static_cast<std::int64_t>(since)));
}

long double number(nanoseconds span)
{
    return static_cast<long double>(span.count());
}

}  // namespace

TEST_CASE("in the middle of the range times are added as ever", "[core][clock]")
{
    const time_point now = from_rfc3339("2026-11-24T20:17:00Z");
    CHECK(saturating_add(now, 90min) == now + 90min);
    CHECK(saturating_add(now, -1ns) == now - 1ns);
    CHECK(saturating_between(now, now + 5s) == 5s);
    CHECK(saturating_between(now + 5s, now) == -5s);
    CHECK(saturating_add(now, 99999h) == now + 99999h);
}

TEST_CASE("at the ends of the range times stop", "[core][clock]")
{
    const time_point last = time_point::max();
    const time_point first = time_point::min();
    CHECK(saturating_add(last, 0ns) == last);
    CHECK(saturating_add(last, 1ns) == last);
    CHECK(saturating_add(last - 1h, 99999h) == last);
    CHECK(saturating_add(first, -1h) == first);
    CHECK(saturating_between(first, last) == nanoseconds::max());
    CHECK(saturating_between(last, first) == nanoseconds::min());
    // A span that is itself behind the end, in a unit of its own.
    CHECK(saturating_add(first, std::chrono::seconds::max()) == last);
    CHECK(saturating_add(last, std::chrono::hours::min()) == first);
    CHECK(saturating_add(first, 24h * 365 * 300) == first + 24h * 365 * 150 + 24h * 365 * 150);
}

TEST_CASE("whatever is added, the sum is the true one or the end of the range", "[core][clock]")
{
    std::mt19937_64 random(20261127);
    std::vector<std::int64_t> numbers{
        0, 1, -1, nanoseconds::max().count(), nanoseconds::min().count(), nanoseconds::max().count() - 1};
    for (int i = 0; i < 60; ++i)
        numbers.push_back(static_cast<std::int64_t>(random()) >> (i % 60));
    for (const std::int64_t left : numbers)
    {
        for (const std::int64_t right : numbers)
        {
            const nanoseconds a(left);
            const nanoseconds b(right);
            INFO(left << " and " << right);
            REQUIRE(saturating_add(time_point(a), b) == clamped(number(a) + number(b)));
            REQUIRE(
                time_point(saturating_between(time_point(a), time_point(b))) == clamped(number(b) - number(a))
            );
        }
    }
}
