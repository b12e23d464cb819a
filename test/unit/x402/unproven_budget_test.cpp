#include "x402/unproven_budget.hpp"

#include <catch.hpp>

using namespace portitor;
using namespace std::chrono_literals;

namespace {

evm::address payer(std::uint8_t number)
{
    evm::address::bytes_type bytes{};
    bytes.back() = number;
    bytes.front() = 1;
    return evm::address(bytes);
}

}  // namespace

TEST_CASE("a payer gets so many payments in a day on a used nonce alone", "[x402][engine]")
{
    const clock::time_point now{20'000h};
    x402::unproven_budget budget(2);
    CHECK(budget.take(payer(1), now));
    CHECK(budget.take(payer(1), now + 23h));
    CHECK_FALSE(budget.take(payer(1), now + 23h));
    CHECK(budget.take(payer(2), now));
    CHECK(budget.take(payer(1), now + 24h));
    CHECK_FALSE(x402::unproven_budget(0).take(payer(1), now));
}
