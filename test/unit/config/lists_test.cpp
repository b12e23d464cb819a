#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/operator_lists.hpp>

using namespace portitor;
using config::operator_lists;
using portitor::test::complaint;
using portitor::test::complaint_about;
using portitor::test::has;

TEST_CASE("what is no list is not taken for an empty one", "[config][lists]")
{
    for (const std::string section : {"facilitators", "credentials", "networks", "chains"})
    {
        CAPTURE(section);
        CHECK(complaint_about<operator_lists>(section + ":\n") == "no error");
        CHECK(complaint_about<operator_lists>(section + ": []\n") == "no error");
        for (const std::string value : {"base", "{name: base}"})
            CHECK(
                has(complaint_about<operator_lists>("\n" + section + ": " + value),
                    section + ": line 2: a list is wanted")
            );
    }
    const std::string told =
        complaint_about<operator_lists>("networks:\n- network: eip155:5\n  tokens: USDC\n");
    CHECK(has(told, "tokens: line 3: a list"));
}

TEST_CASE("names and keys come once", "[config][lists]")
{
    const std::string told = complaint_about<operator_lists>(
        "facilitators:\n- {name: a, url: https://a}\n- {name: a, url: https://b}\n"
    );
    CHECK(has(told, "line 3: facilitator a comes twice"));
    CHECK(
        has(complaint_about<operator_lists>("chains:\n- {name: base}\n- {name: base}\n"),
            "line 3: chain base comes twice")
    );
    CHECK(
        has(complaint_about<operator_lists>("chains:\n- {name: base, name: base}\n"),
            "line 2: \"name\" comes twice")
    );
}

TEST_CASE("one flag opens facilitators and nodes to http", "[config][lists]")
{
    operator_lists read;
    CHECK(complaint(read, {"--allow-insecure-facilitator"}) == "no error");
    CHECK(read.facilitators.allow_insecure);
    CHECK(read.chains.allow_insecure);
}

TEST_CASE("a credential has a file and the namespaces that may use it", "[config][lists]")
{
    config::credential_list read;
    const std::string text =
        "credentials:\n- {name: llm, file: /a/llm, namespaces: [models, '*']}\n- {name: b, file: /b}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    REQUIRE(read.entries.size() == 2);
    CHECK(read.entries[0].file == "/a/llm");
    CHECK(read.entries[0].namespaces == std::vector<std::string>{"models", "*"});
    CHECK(read.entries[1].namespaces.empty());
}
