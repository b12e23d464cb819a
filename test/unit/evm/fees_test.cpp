#include "catch.hpp"

#include <portitor/evm/fees.hpp>

#include <limits>

using namespace portitor;
using evm::fees;

namespace {

const u256 gwei = 1'000'000'000;
const u256 ceiling = 100 * gwei;

}  // namespace

TEST_CASE("fees allow for a base fee that doubles, below the ceiling", "[evm][fees]")
{
    CHECK((evm::fees_for(10 * gwei, gwei, ceiling) == fees{gwei, 21 * gwei}));
    CHECK((evm::fees_for(0, 0, ceiling) == fees{0, 0}));
    CHECK(evm::fees_for(49 * gwei, 2 * gwei, ceiling).has_value());
    CHECK_FALSE(evm::fees_for(49 * gwei, 2 * gwei + 1, ceiling).has_value());
    // A node may say anything.
    const u256 largest = std::numeric_limits<u256>::max();
    CHECK_FALSE(evm::fees_for(largest, largest, ceiling).has_value());
    CHECK_FALSE(evm::fees_for(0, largest, ceiling).has_value());
}

TEST_CASE("a replacement pays at least an eighth more of both, and what the market asks", "[evm][fees]")
{
    const fees market{gwei, 3 * gwei};
    for (const u256& before : {u256(0), u256(1), u256(7), u256(8), u256(1'000'000'001), 20 * gwei})
    {
        const fees old{before, 2 * before};
        const auto next = evm::fees_to_replace(old, {0, 0}, ceiling);
        REQUIRE(next.has_value());
        CHECK(next->priority > old.priority);
        CHECK(next->most > old.most);
        CHECK(next->priority * 8 >= old.priority * 9);
        CHECK(next->most * 8 >= old.most * 9);
        CHECK(next->priority <= next->most);
        const auto in_market = evm::fees_to_replace(old, market, ceiling);
        CHECK(in_market->most >= market.most);
        CHECK(in_market->priority >= market.priority);
    }
    CHECK_FALSE(evm::fees_to_replace({gwei, 95 * gwei}, market, ceiling).has_value());
    CHECK_FALSE(evm::fees_to_replace({0, 0}, {0, ceiling + 1}, ceiling).has_value());
}

TEST_CASE("however often it is replaced, it ends at the ceiling", "[evm][fees]")
{
    fees now{1, 1};
    int steps = 0;
    while (const auto next = evm::fees_to_replace(now, {1, 1}, ceiling))
    {
        now = *next;
        ++steps;
    }
    CHECK(now.most <= ceiling);
    CHECK(steps < 250);
}

TEST_CASE("the gas limit is the estimate and a fifth", "[evm][fees]")
{
    CHECK(evm::gas_limit_for(160'800) == 192'960);
    CHECK(evm::gas_limit_for(0) == 0);
    const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    CHECK(evm::gas_limit_for(largest) == largest);
}
