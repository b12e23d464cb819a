#include "catch.hpp"

#include <portitor/x402/retry.hpp>

using namespace portitor;
using namespace std::chrono_literals;

TEST_CASE("a buyer is never told to come back after the payment's time", "[x402]")
{
    const auto wait = [](std::chrono::seconds asked, u256 valid_before) {
        return x402::retry_for(asked, valid_before, 1'000);
    };
    const u256 for_ever = ~u256(0);
    CHECK(wait(5s, for_ever) == 5s);
    CHECK(wait(0s, for_ever) == 1s);
    CHECK(wait(86'400s, for_ever) == 60s);
    CHECK(wait(60s, 1'061) == 60s);
    CHECK(wait(60s, 1'060) == 59s);
    CHECK(wait(5s, 1'004) == 3s);
    CHECK(wait(60s, 1'002) == 1s);
    // What is over, or nearly, may still be on record.
    for (const unsigned over : {1'001U, 1'000U, 999U, 0U})
    {
        CHECK(wait(5s, over) == 5s);
        CHECK(wait(86'400s, over) == 60s);
    }
}
