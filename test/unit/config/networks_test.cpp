#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/networks.hpp>

using namespace portitor;
using portitor::test::complaint_about;
using portitor::test::has;

TEST_CASE("a token has at most 255 decimals", "[config][networks]")
{
    const auto token = [](const std::string& decimals) {
        return complaint_about<config::network_list>(
            "networks:\n- network: eip155:5\n  tokens:\n"
            "  - {symbol: T, address: '0x5FbDB2315678afecb367f032d93F642f64180aa3', name: T, version: '1', "
            "decimals: " +
            decimals + "}\n"
        );
    };
    CHECK(token("0") == "no error");
    CHECK(token("255") == "no error");
    CHECK(has(token("256"), "decimals: 256"));
    CHECK(has(token("six"), "decimals: \"six\""));
}
