#include "catch.hpp"

#include <portitor/core/clock.hpp>

#include <chrono>

using namespace portitor;
using namespace std::chrono_literals;

namespace {

clock::time_point at(std::int64_t seconds)
{
    return clock::time_point(std::chrono::seconds(seconds));
}

}  // namespace

TEST_CASE("times are written as Kubernetes writes them", "[core][clock]")
{
    CHECK(to_rfc3339(at(0)) == "1970-01-01T00:00:00Z");
    CHECK(to_rfc3339(at(1795551420)) == "2026-11-24T20:17:00Z");
    CHECK(to_rfc3339(at(1795551420) + 999ms) == "2026-11-24T20:17:00Z");
    CHECK(to_rfc3339(at(1709164799)) == "2024-02-28T23:59:59Z");
    CHECK(to_rfc3339(at(0) - 1ms) == "1969-12-31T23:59:59Z");
    CHECK(to_rfc3339(clock::time_point::min()) == "1677-09-21T00:12:43Z");
    CHECK(to_rfc3339(clock::time_point::max()) == "2262-04-11T23:47:16Z");
}

TEST_CASE("times are read with and without a fraction", "[core][clock]")
{
    CHECK(from_rfc3339("2026-11-24T20:17:00Z") == at(1795551420));
    CHECK(from_rfc3339("2026-11-24T20:17:00.123456Z") == at(1795551420));
    CHECK(from_rfc3339("2024-02-29T00:00:00Z") == at(1709164800));
    CHECK(from_rfc3339("1969-12-31T23:59:59Z") == at(-1));
}

TEST_CASE("a time may have any offset, and letters of either case", "[core][clock]")
{
    for (const char* text :
         {"2026-11-24T20:17:00z",
          "2026-11-24t20:17:00Z",
          "2026-11-24t20:17:00.5z",
          "2026-11-24T21:17:00+01:00",
          "2026-11-24T14:47:00-05:30",
          "2026-11-24T14:47:00.999999999-05:30",
          "2026-11-25T20:16:00+23:59",
          "2026-11-24T20:17:00-00:00"})
    {
        CAPTURE(text);
        CHECK(parse_rfc3339(text) == at(1795551420));
    }
    CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == at(0));
    CHECK(parse_rfc3339("1970-01-01T01:00:00+01:00") == at(0));
}

TEST_CASE("a time that the clock does not reach is its first or its last", "[core][clock]")
{
    constexpr auto first = clock::time_point::min();
    constexpr auto last = clock::time_point::max();
    for (const char* text : {"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1677-09-21T00:12:43Z"})
        CHECK(parse_rfc3339(text) == first);
    for (const char* text :
         {"2262-04-11T23:47:17Z", "2262-04-11T23:47:16-00:01", "9999-12-31T23:59:59-23:59"})
        CHECK(parse_rfc3339(text) == last);
    CHECK(to_rfc3339(*parse_rfc3339("1677-09-21T00:12:44Z")) == "1677-09-21T00:12:44Z");
    CHECK(to_rfc3339(*parse_rfc3339("2262-04-11T23:47:16Z")) == "2262-04-11T23:47:16Z");
    // The offset brings it back into reach.
    CHECK(to_rfc3339(*parse_rfc3339("2262-04-12T00:47:16+01:00")) == "2262-04-11T23:47:16Z");
}

TEST_CASE("a time survives being written and read", "[core][clock]")
{
    for (const std::int64_t seconds : {-9223372036L, -1L, 0L, 951782400L, 1709164800L, 4102444799L})
        CHECK(from_rfc3339(to_rfc3339(at(seconds))) == at(seconds));
}

TEST_CASE("what is no time is none", "[core][clock]")
{
    for (const char* text :
         {"",
          "now",
          "2026-11-24",
          "2026-11-24T20:17Z",
          "2026-11-24T20:17:00",
          "2026-11-24T20:17:00+1:00",
          "2026-11-24T20:17:00+0x:00",
          "2026-11-24T20:17:00+24:00",
          "2026-11-24T20:17:00+01:60",
          "2026-11-24T20:17:00+01:00Z",
          "2026-11-24T20:17:00 01:00",
          "2026-11-24T20:17:00Zz",
          "10000-01-01T00:00:00Z",
          "-001-01-01T00:00:00Z",
          "2026-11-24 20:17:00Z",
          "2026-11-24T20:17:00 tomorrow Z",
          "2026-11-24T20:17:00.Z",
          "2026-11-24T20:17:00.12x3Z",
          "2026-13-24T20:17:00Z",
          "2026-00-24T20:17:00Z",
          "2026-11-31T20:17:00Z",
          "2025-02-29T20:17:00Z",
          "2026-11-24T24:17:00Z",
          "2026-11-24T20:60:00Z",
          "2026-11-24T20:17:61Z",
          "2026-1-4T20:17:00Z",
          "2026-11-24T-1:17:00Z"})
    {
        CAPTURE(text);
        CHECK_FALSE(parse_rfc3339(text));
        CHECK(from_rfc3339(text) == clock::time_point{});
    }
}
