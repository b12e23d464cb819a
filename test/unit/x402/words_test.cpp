#include "catch.hpp"

#include <portitor/x402/words.hpp>

using namespace portitor;
using namespace portitor::x402;

TEST_CASE("an amount is told as people say it", "[x402][words]")
{
    const network_table known = network_table::built_in();
    const network* sepolia = known.find("base-sepolia");
    REQUIRE(sepolia);
    CHECK(name_in_words(*sepolia) == "Base Sepolia");
    const std::string usdc = sepolia->default_token()->address;
    CHECK(amount_in_words(u256(1000), "eip155:84532", usdc, known) == "0.001 USDC on Base Sepolia");
    CHECK(amount_in_words(u256(2000000), "base-sepolia", usdc, known) == "2 USDC on Base Sepolia");
}

TEST_CASE("an unknown asset is told in atomic units, an unknown network as it is named", "[x402][words]")
{
    const network_table known = network_table::built_in();
    CHECK(
        amount_in_words(u256(7), "eip155:84532", "0xab", known) == "7 atomic units of 0xab on Base Sepolia"
    );
    CHECK(amount_in_words(u256(7), "eip155:5", "0xab", known) == "7 atomic units of 0xab on eip155:5");
    CHECK(name_in_words({"eip155:5", "", 5, {}, {}}) == "eip155:5");
}
