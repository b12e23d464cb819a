#include "catch.hpp"

#include <portitor/evm/address.hpp>
#include <portitor/x402/networks.hpp>

using namespace portitor;
using namespace portitor::x402;

TEST_CASE("networks are found by every name they have", "[x402][networks]")
{
    const network_table table = network_table::built_in();
    const std::pair<const char*, const char*> names[] = {
        {"base", "eip155:8453"},
        {"base-mainnet", "eip155:8453"},
        {"eip155:8453", "eip155:8453"},
        {"base-sepolia", "eip155:84532"},
        {"mainnet", "eip155:1"},
        {"ethereum-mainnet", "eip155:1"},
        {"polygon-mainnet", "eip155:137"},
        {"avalanche-mainnet", "eip155:43114"},
        {"arbitrum", "eip155:42161"},
        {"arbitrum-one", "eip155:42161"},
        {"arbitrum-sepolia", "eip155:421614"},
    };
    for (const auto& [name, caip2] : names)
    {
        INFO(name);
        const network* found = table.find(name);
        REQUIRE(found != nullptr);
        CHECK(found->caip2 == caip2);
        CHECK(caip2 == "eip155:" + std::to_string(found->chain_id));
    }
    CHECK(table.find("base-goerli") == nullptr);
    CHECK(table.find("BASE") == nullptr);
    CHECK(table.find("") == nullptr);
    // One name that the v1 client does not know makes it refuse a whole 402.
    for (const char* name :
         {"arbitrum", "ethereum", "sepolia", "monad", "celo", "stable", "flare", "megaeth"})
        CHECK(table.find(name)->v1_name.empty());
    CHECK(table.find("polygon-mainnet")->v1_name == "polygon");
}

TEST_CASE("default tokens carry their real EIP-712 domains", "[x402][networks]")
{
    const network_table table = network_table::built_in();
    const token* base = table.find("base")->default_token();
    const token* sepolia = table.find("base-sepolia")->default_token();
    REQUIRE(base != nullptr);
    REQUIRE(sepolia != nullptr);
    CHECK(base->name == "USD Coin");
    CHECK(sepolia->name == "USDC");
    CHECK(sepolia->address == "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    CHECK(
        table.find("flare")->default_token()->name == "USD\xe2\x82\xae"
                                                      "0"
    );
    CHECK(table.find("megaeth")->default_token()->decimals == 18);
    CHECK(table.find("megaeth")->default_token()->method == transfer_method::permit2);
    CHECK(table.find("solana")->default_token() == nullptr);
    for (const network& each : table.all())
        for (const token& known : each.tokens)
            CHECK(evm::address::parse(known.address).has_value());
}

TEST_CASE("tokens are found by symbol and by address in any case", "[x402][networks]")
{
    const network_table table = network_table::built_in();
    const network* on = table.find("base-sepolia");
    REQUIRE(on != nullptr);
    const token* obol = on->find_token("OBOL");
    REQUIRE(obol != nullptr);
    CHECK(obol->method == transfer_method::permit2);
    CHECK(on->find_token("0x0A09371A8B011D5110656CEBCC70603E53FD2C78") == obol);
    CHECK(on->find_token("DAI") == nullptr);
}

TEST_CASE("operators add networks and tokens", "[x402][networks]")
{
    network_table table = network_table::built_in();
    network local;
    local.caip2 = "eip155:31337";
    local.v1_name = "anvil";
    local.chain_id = 31337;
    local.tokens.push_back({"USDC", "0x5FbDB2315678afecb367f032d93F642f64180aa3", "USDC", "2", 6, {}});
    REQUIRE(table.add(local).has_value());
    CHECK(table.find("anvil") == table.find("eip155:31337"));

    network more;
    more.caip2 = "eip155:84532";
    more.aliases = {"testnet"};
    more.tokens.push_back({"USDC", "0x036cbd53842c5426634e7929541ec2318f3dcf7e", "Changed", "3", 6, {}});
    more.tokens.push_back({"TEST", "0x5FbDB2315678afecb367f032d93F642f64180aa3", "Test", "1", 6, {}});
    REQUIRE(table.add(more).has_value());
    const network* extended = table.find("testnet");
    REQUIRE(extended != nullptr);
    CHECK(extended->v1_name == "base-sepolia");
    CHECK(extended->chain_id == 84532);
    CHECK(extended->tokens.size() == 3);
    CHECK(extended->default_token()->name == "Changed");
    CHECK(extended->find_token("TEST") != nullptr);
}

TEST_CASE("a wrong or conflicting network changes nothing", "[x402][networks]")
{
    network_table table = network_table::built_in();
    const std::size_t count = table.all().size();

    network thief;
    thief.caip2 = "eip155:666";
    thief.aliases = {"fresh", "base"};
    REQUIRE(table.add(thief).has_error());
    CHECK(table.add(thief).error().code() == errc::conflict);
    CHECK(table.find("fresh") == nullptr);

    network bad;
    for (const char* name : {"", "base2", ":1", "eip155:"})
    {
        bad.caip2 = name;
        CHECK(table.add(bad).has_error());
    }
    bad.caip2 = "eip155:7";
    bad.tokens.push_back({"X", "0x12", "X", "1", 6, {}});
    CHECK(table.add(bad).has_error());
    bad.tokens.front() = {"X", "0x5FbDB2315678afecb367f032d93F642f64180aa3", "", "1", 6, {}};
    CHECK(table.add(bad).has_error());
    CHECK(table.all().size() == count);
}
