#include "catch.hpp"

#include <portitor/evm/address.hpp>

using portitor::evm::address;

TEST_CASE("an address is the same in any case", "[evm][address]")
{
    const auto mixed = address::parse("0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
    const auto lower = address::parse("0x209693bc6afc0c5328ba36faf03c514ef312287c");
    REQUIRE(mixed.has_value());
    REQUIRE(lower.has_value());
    CHECK(*mixed == *lower);
    CHECK(mixed->to_string() == "0x209693bc6afc0c5328ba36faf03c514ef312287c");
    CHECK_FALSE(mixed->is_zero());
    CHECK(address() < *mixed);
    CHECK(address().is_zero());
}

TEST_CASE("an address of another length or alphabet is refused", "[evm][address]")
{
    const std::string good = "0x209693bc6afc0c5328ba36faf03c514ef312287c";
    for (const std::string& text :
         {std::string(),
          good.substr(2),
          good + "0",
          good.substr(0, 41),
          "0X" + good.substr(2),
          good.substr(0, 41) + "z"})
    {
        INFO(text);
        CHECK(address::parse(text).has_error());
    }
}

TEST_CASE("an address is shown in its checksummed spelling", "[evm][address]")
{
    // The examples of EIP-55.
    for (const char* text :
         {"0x52908400098527886E0F7030069857D2E4169EE7",
          "0xde709f2102306220921060314715629080e2fb77",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
          "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
          "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
          "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"})
        CHECK(address::parse(text).value().to_checksum() == text);
}
