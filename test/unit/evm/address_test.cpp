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
