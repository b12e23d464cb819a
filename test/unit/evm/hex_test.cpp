#include "catch.hpp"

#include <portitor/evm/hex.hpp>

#include <array>

using namespace portitor;

TEST_CASE("hex reads any case and writes lower case", "[evm][hex]")
{
    const auto bytes = evm::parse_hex("0x00fFAb");
    REQUIRE(bytes.has_value());
    CHECK(*bytes == std::vector<std::uint8_t>{0x00, 0xff, 0xab});
    CHECK(evm::to_hex(*bytes) == "0x00ffab");
    CHECK(evm::parse_hex("0x").value().empty());
}

TEST_CASE("hex refuses what is not exactly hex", "[evm][hex]")
{
    for (const char* text : {"", "0", "0x0", "00ff", "0X00", "0x0g", "0x 0", "0x-1", " 0x00", "0x00 "})
    {
        INFO(text);
        CHECK_FALSE(evm::is_hex(text));
        CHECK(evm::parse_hex(text).has_error());
    }
}

TEST_CASE("hex of a fixed size refuses another size", "[evm][hex]")
{
    std::array<std::uint8_t, 2> out{};
    CHECK(evm::parse_hex("0x0102", out).has_value());
    CHECK(out[1] == 2);
    CHECK(evm::parse_hex("0x01", out).has_error());
    CHECK(evm::parse_hex("0x010203", out).has_error());
    CHECK(evm::parse_hex("0x010g", out).error().code() == errc::invalid);
}
