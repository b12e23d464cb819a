#include "catch.hpp"
#include "offer/agent_document.hpp"
#include "offer/shown_text.hpp"
#include "offer_world.hpp"

#include <portitor/api/registration_request.hpp>

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::world;

namespace {

std::string repeated(std::string_view text, std::size_t times)
{
    std::string out;
    while (times-- > 0)
        out += text;
    return out;
}

std::string quoted(const std::string& text)
{
    return boost::json::serialize(boost::json::value(text));
}

// An offer that is to be registered on a chain whose operator wants the document there.
world on_chain()
{
    world all;
    all.settings.lists.chains.entries.front().document = config::document_place::on_chain;
    all.edit("/spec/registration", R"({"enabled": true, "name": "Hello", "description": "Says hello"})");
    return all;
}

std::string document_of(const world& all)
{
    return kube::string_at(all.seen.registration->spec(), "document");
}

bool says_active(const world& all)
{
    return document_of(all).find(R"("active":true)") != std::string::npos;
}

}  // namespace

TEST_CASE("a registry is named in one spelling, however the operator wrote it", "[offer]")
{
    const std::string entry =
        R"({"agentId":0,"agentRegistry":"eip155:1:0x8004A818BFB912233c491871b3d84c89A494BD9e"})";
    CHECK(registration_entry("0", "eip155:1", "0x8004a818bfb912233c491871b3d84c89a494bd9e") == entry);
    CHECK(registration_entry("0", "eip155:1", "0x8004A818BFB912233c491871b3d84c89A494BD9e") == entry);
    CHECK(registration_entry("0", "eip155:1", "x\"") == R"({"agentId":0,"agentRegistry":"eip155:1:x\""})");
}

TEST_CASE("text that strangers see hides nothing", "[controller][registration]")
{
    CHECK(shown_text("Grüße, 日本 🎉") == "Grüße, 日本 🎉");
    CHECK(shown_text("a\u202etxt.exe") == "atxt.exe");
    CHECK(shown_text("a\u200bb\u2066c\x1b[2Jd\x7f") == "abc[2Jd");
    CHECK(shown_text("one\ntwo\tthree\r") == "one two three ");
    CHECK(shown_text("a\xff\xc3") == "a");
    CHECK(shown_text("日本", 5) == "日");
    CHECK(shown_text("abc", 0).empty());
}

TEST_CASE("addresses are shown whole or not at all", "[controller][registration]")
{
    for (const char* const good :
         {"https://e.example/mcp?a=b#c",
          "HTTP://e.example",
          "ipfs://bafy",
          "did:web:e.example",
          "agent.eth",
          "mail@e.example",
          "mailto:mail@e.example",
          "eip155:1:0xab",
          "wss://e.example/ü"})
        CHECK(shown_address(good) == good);
    for (const char* const bad :
         {"javascript:alert(1)",
          "JavaScript:alert(1)",
          "java\nscript:alert(1)",
          " javascript:alert(1)",
          "data:text/html;base64,AAAA",
          "vbscript:x",
          "file:///etc/passwd",
          "https://e.example/ x",
          "https://e.example/\u202e",
          "https://e.example/\"><script>",
          "https://e.example\\x",
          "\xff",
          ":",
          ""})
        CHECK(shown_address(bad).empty());
    CHECK(shown_image("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA");
    CHECK(shown_image("https://e.example/i.png") == "https://e.example/i.png");
    for (const char* const bad :
         {"data:image/html,x", "data:text/html,x", "data:image/png,\"", "javascript:x"})
        CHECK(shown_image(bad).empty());
}

TEST_CASE(
    "a document is put into a request only where the operator wants it on chain", "[controller][registration]"
)
{
    world all = on_chain();
    all.sell();
    CHECK(
        document_of(all) ==
        R"({"type":"https://eips.ethereum.org/EIPS/eip-8004#registration-v1","name":"Hello",)"
        R"("description":"Says hello","services":[{"name":"web","endpoint":"https://api.example.com/services/hello"}],)"
        R"("x402Support":true,"active":true})"
    );
    all.settings.lists.chains.entries.front().document = config::document_place::https;
    all.settle();
    CHECK_FALSE(all.seen.registration->spec().contains("document"));
}

TEST_CASE("a document on chain follows the sale, but not what passes by itself", "[controller][registration]")
{
    world all = on_chain();
    all.sell();
    REQUIRE(says_active(all));
    SECTION("a failed probe")
    {
        all.unhealthy(1);
        all.settle();
        REQUIRE(all.verdict("Ready") == "False/Unhealthy");
        CHECK(says_active(all));
        CHECK(all.look().next_check.has_value());
        all.now += std::chrono::minutes(5);
        all.settle();
        CHECK_FALSE(says_active(all));
        all.healthy();
        all.settle();
        CHECK(says_active(all));
    }
    SECTION("an upstream that is dead")
    {
        all.unhealthy(3);
        all.settle();
        CHECK_FALSE(says_active(all));
        all.unhealthy(2);
        all.settle();
        CHECK_FALSE(says_active(all));
    }
    SECTION("a spec that cannot be sold")
    {
        all.edit("/spec/payment/payTo", "\"0x1\"");
        all.settle();
        CHECK(all.verdict("Registered") == "Unknown/InvalidSpec");
        CHECK(says_active(all));
        all.edit("/spec/payment/payTo", "\"0x00000000000000000000000000000000000000AB\"");
        all.edit("/spec/path", "\"/api\"");
        all.settle();
        CHECK_FALSE(says_active(all));
    }
    SECTION("draining")
    {
        all.edit("/spec/drainAt", "\"2026-11-24T20:00:00Z\"");
        all.settle();
        CHECK_FALSE(says_active(all));
    }
    SECTION("the operator's change of mind, while nothing is known of the upstream")
    {
        all.seen.registration = test::changed(all.seen.registration, "/spec/document", "");
        all.seen.probe = {};
        all.admit();
        all.settle();
        CHECK(says_active(all));
    }
}

TEST_CASE("what makes a document too long for a request is left out", "[controller][registration]")
{
    world all = on_chain();
    const std::string text = quoted(repeated("日", 128));
    const std::string skills = "[" + repeated(text + ",", 31) + text + "]";
    all.edit("/spec/registration/skills", skills);
    all.edit("/spec/registration/description", quoted(repeated("é", 1024)));
    all.sell();
    CHECK(document_of(all).size() <= longest_document);
    CHECK_THAT(document_of(all), !Contains("skills") && Contains("éé") && Contains(R"("name":"OASF")"));
    const std::string endpoint =
        R"({"name": "MCP", "endpoint": ")" + ("https://e.example/" + repeated("x", 2000)) + "\"}";
    all.edit("/spec/registration/services", "[" + repeated(endpoint + ",", 9) + endpoint + "]");
    all.settle();
    all.admit();
    all.publish();
    all.settle();
    CHECK(document_of(all).size() <= longest_document);
    CHECK_THAT(document_of(all), Contains("MCP") && Contains(R"("active":true)"));
    CHECK(api::parse_registration_request(*all.seen.registration).has_value());
}
