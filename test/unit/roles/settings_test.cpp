#include "catch.hpp"
#include "files.hpp"
#include "roles/settings.hpp"

#include <string>

using namespace portitor;
using namespace portitor::roles;
using portitor::test::temp_folder;

namespace {

// What the program says of such a file, or "no error".
std::string complaint_about(const std::string& text)
{
    const temp_folder folder;
    const std::string file = folder.write("settings.yaml", text);
    settings read;
    config_loader loader("portitor", "Tests settings.", "The end.");
    declare(loader, read);
    const char* const words[] = {"portitor", "--config", file.c_str()};
    const auto outcome = loader.load(3, words);
    if (!outcome)
        return outcome.error().message();
    const auto checked = check(read);
    return checked ? "no error" : checked.error().message();
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what is no list is not taken for an empty one", "[roles][settings]")
{
    for (const std::string section : {"facilitators", "credentials", "networks", "chains"})
    {
        CAPTURE(section);
        CHECK(complaint_about(section + ":\n") == "no error");
        CHECK(complaint_about(section + ": []\n") == "no error");
        for (const std::string value : {"base", "{name: base}"})
            CHECK(has(complaint_about("\n" + section + ": " + value), section + ": line 2: a list is wanted")
            );
    }
    CHECK(has(complaint_about("networks:\n- network: eip155:5\n  tokens: USDC\n"), "tokens: line 3: a list"));
}

TEST_CASE("names and keys come once", "[roles][settings]")
{
    const std::string told =
        complaint_about("facilitators:\n- {name: a, url: https://a}\n- {name: a, url: https://b}\n");
    CHECK(has(told, "line 3: facilitator a comes twice"));
    CHECK(has(complaint_about("chains:\n- {name: base}\n- {name: base}\n"), "line 3: chain base comes twice")
    );
    CHECK(has(complaint_about("chains:\n- {name: base, name: base}\n"), "line 2: \"name\" comes twice"));
}

TEST_CASE("a node that is believed is asked over http at home only", "[roles][settings]")
{
    const auto chain = [](const std::string& host) {
        return complaint_about(
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

TEST_CASE("a token has at most 255 decimals", "[roles][settings]")
{
    const auto token = [](const std::string& decimals) {
        return complaint_about(
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

TEST_CASE(
    "the discovery documents' Service has a port, the usual one where none is written", "[roles][settings]"
)
{
    settings read;
    config_loader loader("portitor", "Tests settings.", "The end.");
    declare(loader, read);
    const auto given = [&](const char* value) {
        const char* const words[] = {"portitor", "--discovery-service", value};
        return loader.load(3, words).has_value();
    };
    REQUIRE(given("portitor/portitor-controller"));
    CHECK(read.discovery_service.service == kube::object_key{"portitor", "portitor-controller"});
    CHECK(read.discovery_service.port == 8080);
    REQUIRE(given("portitor/portitor-controller:9000"));
    CHECK(read.discovery_service.service.name == "portitor-controller");
    CHECK(read.discovery_service.port == 9000);
    for (const char* bad :
         {"portitor", "a/b:", "a/b:0", "a/b:65536", "a/b:http", "a/b:80:80", ":80", "a/b/c:80", "/b", "a/:1"})
    {
        CAPTURE(bad);
        CHECK_FALSE(given(bad));
    }
    CHECK(has(complaint_about("discovery-service: a/b\ngateway: ''\n"), "--discovery-service needs --gateway")
    );
}
