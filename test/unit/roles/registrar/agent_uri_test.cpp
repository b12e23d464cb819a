#include "catch.hpp"
#include "roles/registrar/agent_uri.hpp"

#include <portitor/x402/base64.hpp>

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::registrar;
using Catch::Matchers::Contains;

namespace {

constexpr std::string_view start = "data:application/json;base64,";

agent_identity agent(const std::string& id, std::uint64_t chain = 84532)
{
    return {
        chain,
        evm::address::parse("0x8004a818bfb912233c491871b3d84c89a494bd9e").value(),
        parse_u256(id).value()};
}

std::string content(const std::string& uri)
{
    REQUIRE(uri.starts_with(start));
    return x402::decode_base64(uri.substr(start.size())).value();
}

}  // namespace

TEST_CASE("what is left of an agent, byte for byte", "[registrar]")
{
    CHECK(
        content(retired_uri("Hello", agent("0"))) ==
        R"({"type":"https://eips.ethereum.org/EIPS/eip-8004#registration-v1","name":"Hello","active":false,)"
        R"("x402Support":false,"registrations":[{"agentId":0,)"
        R"("agentRegistry":"eip155:84532:0x8004A818BFB912233c491871b3d84c89A494BD9e"}]})"
    );
}

TEST_CASE("what is left of an agent is short, whatever its name", "[registrar]")
{
    for (const std::string& name :
         {std::string(253, 'x'),
          std::string(253, '"'),
          std::string("日本日本日本日本日本日本日本日本日本日本日本日本日本日本日本日本日本日本"),
          std::string(200, '\xff'),
          std::string()})
    {
        const std::string left = content(retired_uri(name, agent("18446744073709551617")));
        INFO(left);
        CHECK(left.size() <= 300);
        CHECK(boost::json::parse(left).is_object());
        CHECK_THAT(left, Contains(R"("agentId":18446744073709551617,)"));
    }
    CHECK(content(retired_uri(std::string(253, 'x'), agent("1"))).size() == 300);
    const std::string largest =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    CHECK_THAT(content(retired_uri(std::string(253, 'x'), agent(largest))), Contains(largest));
    CHECK(content(retired_uri(std::string(253, 'x'), agent(largest))).size() <= 300);
}

TEST_CASE("a document on chain names its own registration", "[registrar]")
{
    const auto document = [](const std::string& text) {
        const auto uri = document_uri(text, agent("9007199254740993"));
        return uri ? content(*uri) : uri.error().message();
    };
    const std::string own =
        R"({"agentId":9007199254740993,"agentRegistry":"eip155:84532:0x8004A818BFB912233c491871b3d84c89A494BD9e"})";
    CHECK(
        document(R"({"name": "é", "active": true})") ==
        R"({"name":"é","active":true,"registrations":[)" + own + "]}"
    );
    // Among others, and not twice.
    const std::string others = R"([{"agentId":1,"agentRegistry":"eip155:1:0x1"}])";
    CHECK(
        document(R"({"name":"a","registrations":)" + others + "}") ==
        R"({"name":"a","registrations":[{"agentId":1,"agentRegistry":"eip155:1:0x1"},)" + own + "]}"
    );
    CHECK(
        document(R"({"name":"a","registrations":[)" + own + "]}") ==
        R"({"name":"a","registrations":[)" + own + "]}"
    );
    for (const char* const bad : {"", "{", "[]", "7", "{}"})
        CHECK_THAT(document(bad), Contains("must be a JSON object"));
    CHECK_THAT(document(R"({"a": 1, "registrations": 7})"), Contains("must be a list"));
    CHECK_THAT(document(R"({"registrations": []})"), Contains("must say more"));
}
