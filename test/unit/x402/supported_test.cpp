#include "catch.hpp"
#include "samples.hpp"

#include <portitor/x402/supported.hpp>

using namespace portitor;
using namespace portitor::x402;

TEST_CASE("the networks of a facilitator are read in either spelling", "[x402][supported]")
{
    const network_table known = network_table::built_in();
    const auto read = [&](const char* body) { return read_supported(body, known); };

    const auto served = read(R"({"kinds": [
        {"x402Version": 2, "scheme": "exact", "network": "eip155:84532", "extra": {}},
        {"x402Version": 1, "scheme": "exact", "network": "base"},
        {"x402Version": 2, "scheme": "upto", "network": "eip155:137"},
        {"x402Version": 2, "scheme": "exact", "network": "solana:*"},
        {"x402Version": 2, "scheme": "exact", "network": "a \\u001b[31m name"},
        {"x402Version": 2, "scheme": "exact", "network": 7}, {"scheme": "exact"}, "exact", null
    ], "extensions": [], "signers": {}})");
    REQUIRE(served.has_value());
    CHECK(served->names() == std::set<std::string>{"eip155:84532", "eip155:8453", "solana:*"});
    CHECK(served->has("eip155:84532"));
    CHECK(served->has("eip155:8453"));
    CHECK(served->has("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"));
    CHECK_FALSE(served->has("eip155:137"));
    CHECK_FALSE(served->has("eip155:1"));

    CHECK(read(R"({"kinds": [{"scheme": "upto", "network": "eip155:1"}]})")->names().empty());
    for (const char* nothing :
         {"", "[]", "{}", R"({"kinds": {}})", R"({"kinds": []})", R"({"kinds": "all"})", "<html>"})
    {
        INFO(nothing);
        CHECK_FALSE(read(nothing).has_value());
    }
    CHECK_FALSE(read_supported(R"({"kinds": )" + std::string(100'000, '['), known).has_value());
}
