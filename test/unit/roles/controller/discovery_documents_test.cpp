#include "catch.hpp"
#include "discovery_world.hpp"

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::registered_world;
using test::view_of;
using test::world;

namespace {

bool is_listed(const world& all)
{
    return make_listing(view_of(all), all.now).sold.has_value();
}

list_entry entry(const world& all)
{
    return make_list_entry(view_of(all), make_listing(view_of(all), all.now), all.settings);
}

std::string file_of(const world& all)
{
    const auto text = registration_document(view_of(all), make_listing(view_of(all), all.now), all.settings);
    return text ? *text : "none";
}

bool is_active(const world& all)
{
    return file_of(all).find(R"("active":true)") != std::string::npos;
}

}  // namespace

TEST_CASE("an entry of services.json, byte for byte", "[controller][discovery]")
{
    CHECK(
        entry(registered_world()).service ==
        R"({"name":"hello","type":"http",)"
        R"("endpoint":"https://api.example.com/services/hello","description":"Says hello","price":"0.01",)"
        R"("priceAtomicUnits":"10000","priceUnit":"perRequest","priceModel":"per-request",)"
        R"("payTo":"0x00000000000000000000000000000000000000AB","network":"base-sepolia",)"
        R"("caip2Network":"eip155:84532","chainId":84532,)"
        R"("asset":{"address":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","symbol":"USDC","decimals":6,)"
        R"("transferMethod":"eip3009","eip712Domain":{"name":"USDC","version":"2"}},)"
        R"("agentURI":"https://api.example.com/.well-known/agent-registration/offer-uid.json"})"
    );
}

TEST_CASE("a model, its price by tokens and the paths below", "[controller][discovery]")
{
    world all;
    all.edit("/spec/type", R"("inference")");
    all.edit("/spec/model", R"({"name": "qwen3", "runtime": "ollama"})");
    all.edit("/spec/payment/price", R"({"perMTok": "1.25"})");
    all.edit(
        "/spec/routes",
        R"([{"path": "/free/*", "gate": "free"}, {"path": "/dear", "price": {"perRequest": "2"}}])"
    );
    all.sell();
    CHECK(
        entry(all).service ==
        R"({"name":"hello","type":"inference","model":"qwen3",)"
        R"("endpoint":"https://api.example.com/services/hello","description":"ServiceOffer hello",)"
        R"("price":"0.00125","priceAtomicUnits":"1250","priceUnit":"perRequest","priceModel":"per-mtok",)"
        R"("pricePerMTok":"1.25","payTo":"0x00000000000000000000000000000000000000AB","network":"base-sepolia",)"
        R"("caip2Network":"eip155:84532","chainId":84532,)"
        R"("asset":{"address":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","symbol":"USDC","decimals":6,)"
        R"("transferMethod":"eip3009","eip712Domain":{"name":"USDC","version":"2"}},)"
        R"("routes":[{"path":"/free/*","gate":"free"},{"path":"/dear","gate":"paid","price":"2",)"
        R"("priceAtomicUnits":"2000000","priceUnit":"perRequest","priceModel":"per-request"}]})"
    );
    CHECK(entry(all).agent.empty());
}

TEST_CASE("an offer's registration document, byte for byte", "[controller][discovery]")
{
    CHECK(
        file_of(registered_world()) ==
        R"({"type":"https://eips.ethereum.org/EIPS/eip-8004#registration-v1","name":"Hello",)"
        R"("description":"Says hello","services":[{"name":"web","endpoint":"https://api.example.com/services/hello"}],)"
        R"("x402Support":true,"active":true,"registrations":[{"agentId":7,)"
        R"("agentRegistry":"eip155:84532:0x8004A818BFB912233c491871b3d84c89A494BD9e"}]})"
    );
}

TEST_CASE("all that a seller may write of an agent", "[controller][discovery]")
{
    world all = registered_world();
    all.edit("/spec/registration/image", R"("https://e.example/i.png")");
    all.edit("/spec/registration/supportedTrust", R"(["reputation"])");
    all.edit("/spec/registration/skills", R"(["a/b"])");
    all.edit("/spec/registration/domains", R"(["c/d"])");
    all.edit(
        "/spec/registration/services",
        R"([{"name": "MCP", "endpoint": "https://e.example/mcp", "version": "1"}])"
    );
    const std::string own =
        R"("image":"https://e.example/i.png","services":[{"name":"web","endpoint":"https://api.example.com/services/hello"},)"
        R"({"name":"MCP","endpoint":"https://e.example/mcp","version":"1"},)";
    CHECK_THAT(
        file_of(all),
        Contains(
            own + R"({"name":"OASF","endpoint":"https://github.com/agntcy/oasf/","version":"0.8",)"
                  R"("skills":["a/b"],"domains":["c/d"]}],)"
        ) && Contains(R"("supportedTrust":["reputation"])")
    );
    // The seller's own OASF entry is the one that gets them.
    all.edit("/spec/registration/services", R"([{"name": "OASF", "endpoint": "ipfs://x"}])");
    CHECK_THAT(
        file_of(all),
        Contains(
            R"({"name":"OASF","endpoint":"ipfs://x","version":"0.8","skills":["a/b"],"domains":["c/d"]}],)"
        )
    );
}

TEST_CASE("what a seller writes is escaped", "[controller][discovery]")
{
    world all = registered_world();
    all.edit("/spec/registration/name", R"("a\",\"active\":false,\"\\")");
    const auto parsed = boost::json::parse(file_of(all));
    CHECK(kube::string_at(parsed.as_object(), "name") == "a\",\"active\":false,\"\\");
}

TEST_CASE("what hides something, or could be run, is not told", "[controller][discovery]")
{
    world all = registered_world();
    all.edit("/spec/registration/name", R"("Pay\u202eLap\u0001\n")");
    all.edit("/spec/registration/description", R"("one\u2066two")");
    all.edit("/spec/registration/image", R"("javascript:alert")");
    all.edit(
        "/spec/registration/services",
        R"([{"name": "web", "endpoint": "javascript:alert"},)"
        R"({"name": "A2A\u200b", "endpoint": "https://e.example/card"},)"
        R"({"name": "DID", "endpoint": "did:web:e.example"},)"
        R"({"name": "\u200b", "endpoint": "https://e.example"}])"
    );
    all.edit("/spec/registration/supportedTrust", R"(["\u202e", "reputation"])");
    all.settle();
    all.admit();
    all.publish();
    all.settle();
    CHECK_THAT(
        file_of(all),
        Contains(
            R"("name":"PayLap ","description":"onetwo","services":[{"name":"web","endpoint":)"
            R"("https://api.example.com/services/hello"},{"name":"A2A","endpoint":"https://e.example/card"},)"
            R"({"name":"DID","endpoint":"did:web:e.example"}],"x402Support":true,"active":true,)"
            R"("supportedTrust":["reputation"])"
        )
    );
    CHECK_THAT(entry(all).agent, Contains(R"({"name":"PayLap ",)"));
    CHECK_THAT(entry(all).service, Contains(R"("description":"onetwo")"));
    CHECK(kube::string_at(all.seen.registration->spec(), "name") == "PayLap ");
    // A name of nothing else is none.
    all.edit("/spec/registration/name", R"("\u202e")");
    CHECK_THAT(file_of(all), Contains(R"("name":"hello")"));
}

TEST_CASE("ids of any size are numbers, and anything else is no registration", "[controller][discovery]")
{
    const std::string largest =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    world all = registered_world();
    for (const std::string& id : {std::string("0"), std::string("18446744073709551616"), largest})
    {
        all.registrar(R"({"phase": "Confirmed", "agentId": ")" + id + "\"}");
        CHECK_THAT(file_of(all), Contains(R"("registrations":[{"agentId":)" + id + ","));
        CHECK_THAT(entry(all).registration, Contains(R"({"agentId":)" + id + ","));
    }
    for (const std::string& id :
         {std::string(), std::string("07"), std::string("-1"), std::string("1e3"), "1" + largest})
    {
        all.registrar(R"({"phase": "Confirmed", "agentId": ")" + id + "\"}");
        CHECK_THAT(file_of(all), Contains(R"("registrations":[]})"));
        CHECK(entry(all).registration.empty());
        CHECK_FALSE(entry(all).agent.empty());
    }
}

TEST_CASE("a chain is told by its CAIP-2 name, and an unknown one not at all", "[controller][discovery]")
{
    world all = registered_world();
    for (const auto& [chain, told] : {std::pair("eip155:1", true), std::pair("nowhere", false)})
    {
        all.seen.registration = changed(all.seen.registration, "/spec/chain", '"' + std::string(chain) + '"');
        CHECK((file_of(all).find("agentRegistry") != std::string::npos) == told);
    }
    all.seen.registration = changed(all.seen.registration, "/spec/registry", R"("0x\"")");
    CHECK_THAT(file_of(all), Contains(R"("registrations":[]})"));
}

TEST_CASE("only what is sold now is listed", "[controller][discovery]")
{
    world all = registered_world();
    REQUIRE(is_listed(all));
    SECTION("a spec that the controller has not judged yet")
    {
        all.edit("/spec/payment/payTo", "\"0x00000000000000000000000000000000000000cc\"");
    }
    SECTION("not ready")
    {
        all.unhealthy(1);
        all.settle();
    }
    SECTION("suspended")
    {
        all.seen.payment_route = changed(all.seen.payment_route, "/spec/suspended", "true");
    }
    SECTION("draining, before the controller has said so")
    {
        all.edit("/spec/drainAt", "\"2026-11-24T20:00:01Z\"");
        all.settle();
        all.admit();
        all.publish();
        all.settle();
        REQUIRE(is_listed(all));
        all.now += std::chrono::seconds(1);
        CHECK(all.verdict("Ready") == "True/Ready");
    }
    SECTION("being deleted")
    {
        all.mark_deleted();
    }
    SECTION("terms that are gone")
    {
        all.seen.payment_route = nullptr;
    }
    SECTION("terms of somebody else")
    {
        all.seen.payment_route = changed(all.seen.payment_route, "/metadata/ownerReferences", "");
        all.seen.payment_route = changed(all.seen.payment_route, "/metadata/labels", "");
    }
    CHECK_FALSE(is_listed(all));
    CHECK(entry(all).empty());
    // What is on chain leads to a document all the same, and it says that nothing is sold.
    CHECK_THAT(file_of(all), Contains(R"("active":false)") && Contains(R"("agentId":7)"));
}

TEST_CASE("an offer that is not to be registered has no document", "[controller][discovery]")
{
    world all;
    all.sell();
    CHECK(is_listed(all));
    CHECK(file_of(all) == "none");
    // Nor one that was never sold: nothing can lead there yet.
    world fresh;
    fresh.edit("/spec/registration", R"({"enabled": true})");
    fresh.settle();
    CHECK(file_of(fresh) == "none");
}

TEST_CASE("without a public address there is no agent, but a list of services", "[controller][discovery]")
{
    world all = registered_world();
    all.settings.gateway.public_url.clear();
    CHECK(file_of(all) == "none");
    CHECK(entry(all).agent.empty());
    CHECK_THAT(entry(all).service, Contains(R"("endpoint":"/services/hello")") && !Contains("agentURI"));
}

TEST_CASE("a registration that ends says so as long as the offer is there", "[controller][discovery]")
{
    world all = registered_world();
    SECTION("switched off")
    {
        all.edit("/spec/registration/enabled", "false");
        all.settle();
        all.admit();
        all.publish();
        all.settle();
        CHECK(is_listed(all));
        CHECK(entry(all).agent.empty());
    }
    SECTION("deleted")
    {
        all.mark_deleted();
    }
    CHECK_THAT(file_of(all), Contains(R"("x402Support":false,"active":false)"));
}

TEST_CASE("an offer that cannot be read any more is described by its request", "[controller][discovery]")
{
    world all = registered_world();
    REQUIRE(is_active(all));
    all.edit("/spec/upstream", "7");
    CHECK(
        file_of(all) ==
        R"({"type":"https://eips.ethereum.org/EIPS/eip-8004#registration-v1","name":"Hello",)"
        R"("description":"Says hello","services":[{"name":"web","endpoint":"https://api.example.com/services/hello"}],)"
        R"("x402Support":true,"active":false,"registrations":[{"agentId":7,)"
        R"("agentRegistry":"eip155:84532:0x8004A818BFB912233c491871b3d84c89A494BD9e"}]})"
    );
}

TEST_CASE("nothing internal is told", "[controller][discovery]")
{
    world all = registered_world();
    all.edit("/spec/upstream/credential", "\"litellm\"");
    all.edit("/spec/registration/privateKeySecret", R"({"name": "my-key"})");
    all.settle();
    all.admit();
    all.publish();
    all.settle();
    REQUIRE(is_listed(all));
    const std::string told = file_of(all) + entry(all).service + entry(all).agent + entry(all).registration;
    for (const std::string secret :
         {"litellm", "my-key", "web\",\"port", "8080", "/health", "f.example", ".svc"})
        CHECK_THAT(told, !Contains(secret));
}

TEST_CASE("the lists, byte for byte", "[controller][discovery]")
{
    const plan_settings settings = world().settings;
    const std::vector<std::string_view> two{"{\"a\":1}", "{\"b\":2}"};
    CHECK(services_document({}) == R"({"services":[]})");
    CHECK(services_document(two) == R"({"services":[{"a":1},{"b":2}]})");
    CHECK(
        registrations_document(two, {}, settings, "") ==
        R"({"type":"https://eips.ethereum.org/EIPS/eip-8004#registration-v1","name":"api.example.com",)"
        R"("description":"HTTP services that are sold for x402 payments",)"
        R"("services":[{"name":"web","endpoint":"https://api.example.com/api/services.json"}],)"
        R"("x402Support":true,"active":true,"agents":[{"a":1},{"b":2}],"registrations":[]})"
    );
    const auto known = entry(registered_world());
    CHECK(
        known.agent ==
        R"({"name":"Hello","agentURI":"https://api.example.com/.well-known/agent-registration/offer-uid.json",)"
        R"("endpoint":"https://api.example.com/services/hello"})"
    );
    CHECK(
        known.registration ==
        R"({"agentId":7,"agentRegistry":"eip155:84532:0x8004A818BFB912233c491871b3d84c89A494BD9e"})"
    );
}
