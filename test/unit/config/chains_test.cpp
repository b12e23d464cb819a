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

TEST_CASE("an entry changes a built-in chain, or adds one that says what it is for", "[config][chains]")
{
    chain_list read;
    const std::string text =
        "chains:\n- {name: base, rpcURL: https://node/}\n- {name: five, registry: '0x8004'}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    CHECK(read.entries.size() == config::built_in_chains().size() + 1);
    const auto base = std::find_if(read.entries.begin(), read.entries.end(), [](const auto& each) {
        return each.name == "base";
    });
    REQUIRE(base != read.entries.end());
    CHECK(base->rpc_urls == std::vector<std::string>{"https://node"});
    CHECK_FALSE(base->registry.empty());
    CHECK(read.entries.back().registry == "0x8004");
    CHECK(
        has(complaint_about<chain_list>("chains:\n- {name: five}\n"), "chain five: neither \"registry\" nor")
    );
}
