#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/chains.hpp>

#include <algorithm>

using namespace portitor;
using config::chain_list;
using portitor::test::complaint_about;
using portitor::test::has;

TEST_CASE("a node that is believed is asked over http at home only", "[config][chains]")
{
    const auto chain = [](const std::string& host) {
        return complaint_about<chain_list>(
            "allow-insecure-facilitator: true\nchains:\n- {name: base, rpcURL: 'http://" + host +
            "/secret'}\n"
        );
    };
    for (const std::string host :
         {"127.0.0.1:8545", "localhost", "node.chain.svc", "node.chain.svc.cluster.local"})
        CHECK(chain(host) == "no error");
    for (const std::string host : {"node.example.com", "127.evil.example", "10.0.0.1:8545"})
    {
        CHECK(has(chain(host), "chain base: rpcURL is not https"));
        CHECK_FALSE(has(chain(host), "secret"));
    }
    for (const std::string host : {"", "127.0.0.1.example.com", "user:password@node.example.com"})
    {
        CHECK(has(chain(host), "chain base: rpcURL is not an absolute http or https URL"));
        CHECK_FALSE(has(chain(host), "secret"));
    }
}

namespace {

const std::string lower_case_registry = "0x8004a169fb4a3325136eb29fa0ceb6d2e539a432";

/// The chain of that name, as it is with this entry, which is the second line of the file.
config::chain read_chain(const std::string& name, const std::string& entry)
{
    chain_list read;
    REQUIRE(complaint_about(read, "chains:\n- " + entry + "\n") == "no error");
    const auto at = std::find_if(read.entries.begin(), read.entries.end(), [&](const auto& each) {
        return each.name == name;
    });
    REQUIRE(at != read.entries.end());
    return *at;
}

std::string refusal(const std::string& entry)
{
    return complaint_about<chain_list>("chains:\n- " + entry + "\n");
}

}  // namespace

TEST_CASE("an entry changes a built-in chain, or adds one that says what it is for", "[config][chains]")
{
    chain_list read;
    const std::string text = "chains:\n- {name: base, rpcURL: https://node/}\n- {name: five, registry: '" +
                             lower_case_registry + "'}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    CHECK(read.entries.size() == config::built_in_chains().size() + 1);
    CHECK(read.entries.back().registry == lower_case_registry);
    const config::chain base = read_chain("base", "{name: base, rpcURL: https://node/}");
    CHECK(base.rpc_urls == std::vector<std::string>{"https://node"});
    CHECK_FALSE(base.registry.empty());
    CHECK(has(refusal("{name: five}"), "chain five: neither \"registry\" nor"));
}

TEST_CASE("a built-in chain is meant by any name of its network, and once", "[config][chains]")
{
    CHECK(read_chain("base", "{name: 'eip155:8453', confirmations: 7}").confirmations == 7);
    CHECK(read_chain("ethereum", "{name: mainnet, confirmations: 7}").confirmations == 7);
    CHECK(
        has(complaint_about<chain_list>("chains:\n- {name: base}\n- {name: base-mainnet}\n"),
            "line 3: chain base-mainnet comes twice: base is the same one")
    );
}

TEST_CASE("a chain says what may be spent on it", "[config][chains]")
{
    const config::chain own = read_chain(
        "base",
        "{name: base, confirmations: 1, maxFeePerGas: 0.5, dailyTransactions: 0, "
        "dailySpend: '0.000000000000000001',"
        " document: onchain}"
    );
    CHECK(own.confirmations == 1);
    CHECK(own.max_fee_per_gas == 500'000'000);
    CHECK(own.daily_transactions == 0);
    CHECK(own.daily_spend == 1);
    CHECK(own.document == config::document_place::on_chain);

    const config::chain usual = read_chain("base", "{name: base, document: https}");
    CHECK(usual.confirmations == 5);
    CHECK_FALSE(usual.check_receipts);
    CHECK(read_chain("base", "{name: base, rpcURL: 'https://node.test', checkReceipts: true}").check_receipts
    );
    CHECK(usual.max_fee_per_gas == atomic_units("50", 9).value());
    CHECK(usual.daily_transactions == 200);
    CHECK(usual.daily_spend == atomic_units("0.05", 18).value());
    CHECK(usual.document == config::document_place::https);
    for (const std::string cheap : {"polygon", "avalanche", "polygon-amoy"})
    {
        const config::chain other = read_chain(cheap, "{name: " + cheap + "}");
        CHECK(other.max_fee_per_gas == atomic_units("1000", 9).value());
        CHECK(other.daily_spend == atomic_units("5", 18).value());
    }
}

TEST_CASE("a number that a chain cannot have is refused", "[config][chains]")
{
    const auto refused = [](const std::string& member, const std::string& words) {
        CAPTURE(member);
        CHECK(has(refusal("{name: base, " + member + "}"), "chains: line 2: chain base: " + words));
    };
    refused("checkReceipts: perhaps", "checkReceipts: true or false is wanted");
    refused("checkReceipts: true", "checkReceipts: it needs a node that is asked: rpcURL");
    refused("confirmations: 0", "confirmations: a number from 1 to 10000");
    refused("confirmations: 10001", "confirmations: a number from 1 to 10000");
    refused("confirmations: -1", "confirmations: \"-1\" is no whole number");
    refused("confirmations: ''", "confirmations: \"\" is no whole number");
    refused("dailyTransactions: 1.5", "dailyTransactions: \"1.5\" is no whole number");
    refused("maxFeePerGas: 0.0000000001", "maxFeePerGas: a decimal number of gwei");
    refused("maxFeePerGas: 0.0", "maxFeePerGas: no transaction is sent for nothing");
    refused("dailySpend: 1e18", "dailySpend: a decimal number of ether");
    refused("dailySpend: -1", "dailySpend: a decimal number of ether");
    refused("dailySpend: 1000000001", "dailySpend: 1000000001 ether is more than there can be");
    refused("document: ipfs", "document: https or onchain is wanted");
    CHECK(has(refusal("{name: base, confirmations: [1]}"), "line 2: \"confirmations\" is a text"));
}

TEST_CASE("a chain has several nodes, and none of their URLs is told", "[config][chains]")
{
    const config::chain two = read_chain("base", "{name: base, rpcURLs: [https://a/k, 'https://b/k/']}");
    CHECK(two.rpc_urls == std::vector<std::string>{"https://a/k", "https://b/k"});
    CHECK(read_chain("base", "{name: base, rpcURLs: []}").rpc_urls.empty());
    for (const auto& [members, words] : std::vector<std::pair<std::string, std::string>>{
             {"rpcURL: https://secret, rpcURLs: [https://b]", "rpcURLs: rpcURL is given too"},
             {"rpcURLs: [https://secret, 'https://secret/']", "rpcURLs: one of the URLs comes twice"},
             {"rpcURLs: [https://b, 'wss://secret']", "rpcURLs is not an absolute http or https URL"},
             {"rpcURLs: [https://b, 'http://secret']", "chain base: rpcURL is not https"}})
    {
        const std::string told = refusal("{name: base, " + members + "}");
        CAPTURE(told);
        CHECK(has(told, words));
        CHECK_FALSE(has(told, "secret"));
    }
    CHECK(has(refusal("{name: base, rpcURLs: https://a}"), "line 2: \"rpcURLs\" is a list"));
}

TEST_CASE("a registry is spelled as its checksum says, or in one case", "[config][chains]")
{
    const auto told = [](const std::string& registry) {
        return refusal("{name: five, registry: '" + registry + "'}");
    };
    CHECK(told(lower_case_registry) == "no error");
    CHECK(told("0x8004A169FB4A3325136EB29FA0CEB6D2E539A432") == "no error");
    CHECK(told("0x8004A169FB4a3325136EB29fA0ceB6D2e539a432") == "no error");
    // As an early document of the registry's has it.
    CHECK(
        has(told("0xEA0fE4FCF9E3017a24d9Db6e0e39B552c8648B9D"),
            "line 2: chain five: registry: a digit or its case is wrong")
    );
    CHECK(
        has(told("0xEA0fE4FCF9E3017a24d9Db6e0e39B552c8648B9D"), "0xEa0Fe4fCf9E3017A24D9DB6e0E39b552c8648b9d")
    );
    CHECK(has(told("0x8004"), "registry: an address is wanted"));
    CHECK(has(told("0x0000000000000000000000000000000000000000"), "registry: the zero address"));
}
