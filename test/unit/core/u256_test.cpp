#include "catch.hpp"

#include <portitor/core/u256.hpp>

#include <limits>
#include <stdexcept>
#include <string>

using namespace portitor;

namespace {

const std::string largest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
const std::string one_more = "115792089237316195423570985008687907853269984665640564039457584007913129639936";

std::string units(std::string_view amount, unsigned decimals)
{
    const auto read = atomic_units(amount, decimals);
    return read ? to_string(*read) : "error";
}

std::string fraction(std::string_view amount, unsigned decimals, unsigned numerator, unsigned denominator)
{
    const auto read = atomic_units_of_fraction(amount, decimals, numerator, denominator);
    return read ? to_string(*read) : "error";
}

}  // namespace

TEST_CASE("integers of 256 bits end where they end", "[core][u256]")
{
    REQUIRE(parse_u256(largest).has_value());
    CHECK(to_string(*parse_u256(largest)) == largest);
    CHECK(*parse_u256(largest) == (std::numeric_limits<u256>::max)());
    CHECK(*parse_u256("0") == 0);
    REQUIRE_FALSE(parse_u256(one_more).has_value());
    CHECK(parse_u256(one_more).error().code() == errc::invalid);
    CHECK_FALSE(parse_u256(std::string(78, '9')).has_value());
    CHECK_FALSE(parse_u256(std::string(79, '0')).has_value());
}

TEST_CASE("leading zeros are decimal, not octal", "[core][u256]")
{
    CHECK(to_string(*parse_u256("010")) == "10");
    CHECK(to_string(*parse_u256("0009")) == "9");
    CHECK(to_string(*parse_u256("000")) == "0");
    CHECK(units("00010.08", 2) == "1008");
}

TEST_CASE("what is no plain decimal integer is refused", "[core][u256]")
{
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "1_000", "٣"})
    {
        CAPTURE(text);
        REQUIRE_FALSE(parse_u256(text).has_value());
        CHECK(parse_u256(text).error().code() == errc::invalid);
    }
    CHECK_FALSE(parse_u256(std::string_view("1\0", 2)).has_value());
}

TEST_CASE("amounts become atomic units exactly", "[core][u256]")
{
    CHECK(units("0.001", 6) == "1000");
    CHECK(units("1", 6) == "1000000");
    CHECK(units("0.1", 18) == "100000000000000000");
    CHECK(units("0.000001", 6) == "1");
    CHECK(units("123456789.123456789012345678", 18) == "123456789123456789012345678");
    CHECK(units("9007199254740993", 0) == "9007199254740993");  // 2^53 + 1: no double on the way
    CHECK(units("0.30", 2) == "30");
    CHECK(units("0", 6) == "0");
    CHECK(units("0.000", 6) == "0");
}

TEST_CASE("more decimal places than the asset has are refused, never rounded", "[core][u256]")
{
    const auto read = atomic_units("0.0000001", 6);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == errc::invalid);
    CHECK(read.error().message().find("7 decimal places") != std::string::npos);
    CHECK(units("1.0", 0) == "error");
    CHECK(units("0.1000000", 6) == "error");
    CHECK(units("0." + std::string(29, '0') + "1", 18) == "error");
}

TEST_CASE("anything that is no plain decimal amount is refused", "[core][u256]")
{
    for (const char* text :
         {"0,01",
          "abc",
          "-1",
          "",
          "1.",
          ".5",
          ".",
          "1.2.3",
          "1e-3",
          "1e3",
          " 1",
          "1 ",
          "+1",
          "0x1",
          "1.-5",
          "1_000"})
    {
        CAPTURE(text);
        const auto read = atomic_units(text, 6);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::invalid);
        CHECK_FALSE(atomic_units_of_fraction(text, 6, 1, 2).has_value());
    }
}

TEST_CASE("assets of many decimals fit until the result does not", "[core][u256]")
{
    CHECK(units("0.000000000000000000000000000001", 30) == "1");
    CHECK(units("1.5", 30) == "1500000000000000000000000000000");
    CHECK(units("1", 77) == "1" + std::string(77, '0'));
    CHECK(units("1", 78) == "error");
    CHECK(units("2", 77) == "error");
    CHECK(units(largest, 0) == largest);
    CHECK(units(one_more, 0) == "error");
    CHECK(units(largest, 1) == "error");
    CHECK(units(std::string(78, '9'), 6) == "error");
    CHECK(units(std::string(79, '1'), 0) == "error");
    CHECK(units("0." + std::string(78, '0'), 77) == "error");
}

TEST_CASE("a fraction of an amount rounds up to one unit and never to nothing", "[core][u256]")
{
    CHECK(fraction("2.5", 6, 1, 1000) == "2500");
    CHECK(fraction("1", 6, 1, 3) == "333334");
    CHECK(fraction("1", 6, 5, 60) == "83334");
    CHECK(fraction("0.000001", 6, 1, 1000) == "1");
    CHECK(fraction("0.000002", 6, 1, 2) == "1");
    CHECK(fraction("0.000003", 6, 1, 2) == "2");
    CHECK(fraction("0", 6, 1, 3) == "0");
    CHECK(fraction("1", 6, 0, 3) == "0");
    // More places than the asset has are rounded, too.
    CHECK(fraction("0.0000001", 6, 1, 1) == "1");
    CHECK(fraction("0.0000000001", 6, 1, 1000) == "1");
    CHECK(fraction("10", 0, 1, 10) == "1");
    CHECK(fraction(largest, 0, 4000000000U, 4000000000U) == largest);
    CHECK(fraction(largest, 0, 2, 1) == "error");
}

TEST_CASE("atomic units become amounts without trailing zeros", "[core][u256]")
{
    CHECK(decimal_amount(u256(1500), 6) == "0.0015");
    CHECK(decimal_amount(u256(1), 6) == "0.000001");
    CHECK(decimal_amount(u256(1000000), 6) == "1");
    CHECK(decimal_amount(u256(10500000), 6) == "10.5");
    CHECK(decimal_amount(u256(0), 6) == "0");
    CHECK(decimal_amount(u256(0), 0) == "0");
    CHECK(decimal_amount(u256(42), 0) == "42");
    CHECK(decimal_amount(u256(100), 0) == "100");
    CHECK(decimal_amount(u256(100), 2) == "1");
}

TEST_CASE("a printed amount reads back as the same units", "[core][u256]")
{
    for (const char* amount : {"0", "1", "0.1", "12.000034", "99999999999999999999.9"})
    {
        CAPTURE(amount);
        CHECK(decimal_amount(*atomic_units(amount, 18), 18) == amount);
    }
    CHECK(units(decimal_amount((std::numeric_limits<u256>::max)(), 18), 18) == largest);
}

TEST_CASE("arithmetic does not wrap", "[core][u256]")
{
    const u256 most = (std::numeric_limits<u256>::max)();
    CHECK_THROWS_AS(u256(most + 1), std::overflow_error);
    CHECK_THROWS_AS(u256(u256(0) - 1), std::range_error);
}
