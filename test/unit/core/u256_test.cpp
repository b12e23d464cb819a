#include "catch.hpp"

#include <portitor/core/u256.hpp>

using namespace portitor;

TEST_CASE("amounts become atomic units exactly", "[core][u256]")
{
    CHECK(atomic_units("0.001", 6).value() == 1000);
    CHECK(atomic_units("1", 6).value() == 1'000'000);
    CHECK(atomic_units("0.000001", 6).value() == 1);
    CHECK(atomic_units("010.50", 2).value() == 1050);
    CHECK(atomic_units("0", 6).value() == 0);
    CHECK(
        to_string(atomic_units("123456789.123456789012345678", 18).value()) == "123456789123456789012345678"
    );
}

TEST_CASE("anything that is no plain decimal amount is refused", "[core][u256]")
{
    for (const char* text :
         {"", "0,01", "abc", "-1", "+1", "1.", ".5", "1e3", " 1", "1 ", "0x1", "1.2.3", "1_000"})
    {
        INFO(text);
        CHECK_FALSE(atomic_units(text, 6).has_value());
    }
    CHECK_FALSE(atomic_units("0.0000001", 6).has_value());
    CHECK_FALSE(atomic_units("0." + std::string(29, '0') + "1", 18).has_value());
    CHECK_FALSE(atomic_units(std::string(78, '9'), 6).has_value());
}

TEST_CASE("a derived fraction rounds up to one unit and never to nothing", "[core][u256]")
{
    CHECK(atomic_units_of_fraction("2.5", 6, 1, 1000).value() == 2500);
    CHECK(atomic_units_of_fraction("0.000001", 6, 1, 1000).value() == 1);
    CHECK(atomic_units_of_fraction("1", 6, 5, 60).value() == 83334);
    CHECK(atomic_units_of_fraction("0.0000000001", 6, 1, 1000).value() == 1);
}

TEST_CASE("integers of 256 bits end where they end", "[core][u256]")
{
    const std::string largest =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    CHECK(to_string(parse_u256(largest).value()) == largest);
    CHECK_FALSE(parse_u256("115792089237316195423570985008687907853269984665640564039457584007913129639936")
                    .has_value());
    CHECK(parse_u256("0007").value() == 7);
    for (const char* text : {"", "-1", "0x10", "1 ", "1.0"})
        CHECK_FALSE(parse_u256(text).has_value());
}

TEST_CASE("atomic units become amounts", "[core][u256]")
{
    CHECK(decimal_amount(1500, 6) == "0.0015");
    CHECK(decimal_amount(1'000'000, 6) == "1");
    CHECK(decimal_amount(0, 6) == "0");
    CHECK(decimal_amount(42, 0) == "42");
}
