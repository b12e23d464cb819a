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
}

TEST_CASE("times are read with and without a fraction", "[core][clock]")
{
    CHECK(from_rfc3339("2026-11-24T20:17:00Z") == at(1795551420));
    CHECK(from_rfc3339("2026-11-24T20:17:00.123456Z") == at(1795551420));
    CHECK(from_rfc3339("2024-02-29T00:00:00Z") == at(1709164800));
    CHECK(from_rfc3339("1969-12-31T23:59:59Z") == at(-1));
}

TEST_CASE("a time survives being written and read", "[core][clock]")
{
    for (const std::int64_t seconds : {0L, 951782400L, 1709164800L, 4102444799L})
        CHECK(from_rfc3339(to_rfc3339(at(seconds))) == at(seconds));
}

TEST_CASE("what is no UTC time is no time", "[core][clock]")
{
    for (const char* text :
         {"",
          "now",
          "2026-11-24",
          "2026-11-24T20:17Z",
          "2026-11-24T20:17:00",
          "2026-11-24T20:17:00+01:00",
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
        CHECK(from_rfc3339(text) == clock::time_point{});
    }
}
