#include "catch.hpp"
#include "objects.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/api/registration_request.hpp>

using namespace portitor;
using namespace portitor::api;
using test::changed;
using test::object_from;

namespace {

const char* const route_text = R"({
    "apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute",
    "metadata": {"name": "hello-payment", "namespace": "shop", "generation": 2, "ownerReferences": [
        {"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u1", "controller": true}
    ]},
    "spec": {
        "pattern": "/services/hello/*", "price": "10000", "asset": "0x00000000000000000000000000000000000000cD",
        "payTo": "0x00000000000000000000000000000000000000AB", "network": "eip155:84532",
        "facilitatorURL": "https://f.example/x", "priceModel": "per-mtok", "perMTok": "10",
        "approxTokensPerRequest": 1000, "description": "d", "maxTimeoutSeconds": 60, "settlement": "beforeResponse",
        "publicURL": "https://api.example.com/services/hello", "credential": "c", "suspended": true,
        "rules": [
            {"pattern": "/free/*", "gate": "free"},
            {"pattern": "/big", "gate": "paid", "price": "115792089237316195423570985008687907853269984665640564039457584007913129639935", "priceModel": "per-request"},
            {"pattern": "/llm", "gate": "paid", "price": "1", "priceModel": "per-mtok", "perMTok": "0.001"}
        ]
    },
    "status": {"admitted": true, "lastAdmittedGeneration": 2, "conditions": [
        {"type": "Admitted", "status": "True", "reason": "Served", "message": "m", "observedGeneration": 2}
    ]}
})";

const char* const request_text = R"({
    "metadata": {"name": "hello-registration", "namespace": "shop"},
    "spec": {
        "name": "Hello", "description": "d", "endpoint": "https://api.example.com/services/hello", "image": "i",
        "chain": "base-sepolia", "registry": "0x8004A818BFB912233c491871b3d84c89A494BD9e",
        "agentURI": "https://api.example.com/.well-known/agent-registration/u1.json", "metadata": {"a": "b"},
        "desiredState": "Retired", "privateKeySecret": {"name": "n", "key": "k"},
        "agentId": "0", "document": "{}"
    }
})";

}  // namespace

TEST_CASE("a payment route survives the way to JSON and back", "[api][route]")
{
    const auto object = object_from(route_text);
    const auto route = parse_payment_route(*object);
    REQUIRE(route.has_value());
    CHECK(route->offer == "hello");
    CHECK(route->rules.at(0).access == gate::free);
    CHECK(route->rules.at(2).model == price_model::per_mtok);
    CHECK(to_json_spec(*route) == object->spec());
}

TEST_CASE("a wrong payment route is refused", "[api][route]")
{
    struct wrong_field
    {
        const char* pointer;
        const char* value;
        const char* message;
    };
    const auto [pointer, value, message] = GENERATE(values<wrong_field>({
        {"/spec/price", "\"0\"", "spec.price must be an amount in atomic units"},
        {"/spec/price", "\"0.1\"", "spec.price"},
        {"/spec/price", "10000", "spec.price must be text"},
        {"/spec/price", "", "spec.price"},
        {"/spec/pattern", "\"/services/hello\"", "spec.pattern must be a path that ends with /*"},
        {"/spec/pattern", "\"/a/../*\"", "spec.pattern"},
        {"/spec/network", "\"base-sepolia\"", "spec.network must be a CAIP-2 network"},
        {"/spec/asset", "\"USDC\"", "spec.asset must be an address"},
        {"/spec/facilitatorURL", "\"ftp://x\"", "spec.facilitatorURL must be an http or https URL"},
        {"/spec/facilitatorURL", "", "spec.facilitatorURL must be given"},
        {"/spec/priceModel", "\"perRequest\"", "spec.priceModel must be one of"},
        {"/spec/suspended", "\"true\"", "spec.suspended must be true or false"},
        {"/spec/rules", "[{\"pattern\": \"/a\", \"gate\": \"paid\"}]", "spec.rules[0].price"},
        {"/spec/rules", "[{\"pattern\": \"a\", \"gate\": \"free\"}]", "spec.rules[0].pattern"},
        {"/spec/rules",
         "[{\"pattern\": \"/a*\", \"gate\": \"free\"}]",
         "spec.rules[0].pattern must be a path"},
        {"/spec/rules",
         "[{\"pattern\": \"/a\", \"gate\": \"free\"}, {\"pattern\": \"/a/\", \"gate\": \"paid\", \"price\": "
         "\"1\"}]",
         "spec.rules[1].pattern must be a path"},
        {"/spec/rules",
         "[{\"pattern\": \"/a\", \"gate\": \"free\"}, {\"pattern\": \"/a\", \"gate\": \"paid\", \"price\": "
         "\"1\"}]",
         "spec.rules[1].pattern must be in the list once"},
    }));
    CAPTURE(pointer, value);
    const auto route = parse_payment_route(*changed(object_from(route_text), pointer, value));
    REQUIRE(route.has_error());
    CHECK_THAT(route.error().message(), Catch::Matchers::Contains(message));
}

TEST_CASE("a route that nothing controls names no offer", "[api][route]")
{
    const auto orphan = changed(object_from(route_text), "/metadata/ownerReferences", "[]");
    CHECK(parse_payment_route(*orphan)->offer.empty());
}

TEST_CASE("a verdict is read with the generation that it is about", "[api][route]")
{
    const auto said = read_admission(*object_from(route_text));
    CHECK(said.admitted);
    CHECK(said.generation == 2);
    CHECK(said.about_generation == 2);
    CHECK_FALSE(said.refused);
    CHECK(said.reason == "Served");
    CHECK_FALSE(read_admission(*changed(object_from(route_text), "/status", "")).admitted);
}

TEST_CASE("a registration request survives the way to JSON and back", "[api][registration]")
{
    const auto object = object_from(request_text);
    const auto request = parse_registration_request(*object);
    REQUIRE(request.has_value());
    CHECK(request->state == desired_state::retired);
    CHECK(to_json_spec(*request) == object->spec());
}

TEST_CASE("a wrong registration request is refused", "[api][registration]")
{
    const auto refusal = [](const char* pointer, const char* value) {
        const auto request = parse_registration_request(*changed(object_from(request_text), pointer, value));
        return request ? std::string() : request.error().message();
    };
    CHECK_THAT(
        refusal("/spec/registry", "\"0x1\""), Catch::Matchers::Contains("spec.registry must be an address")
    );
    CHECK_THAT(refusal("/spec/agentURI", "\"\""), Catch::Matchers::Contains("spec.agentURI must be given"));
    CHECK_THAT(
        refusal("/spec/desiredState", "\"Gone\""), Catch::Matchers::Contains("one of Active, Retired")
    );
    CHECK_THAT(refusal("/spec/chain", ""), Catch::Matchers::Contains("spec.chain must be given"));
    CHECK_THAT(
        refusal("/spec/agentId", "\"0x1\""), Catch::Matchers::Contains("spec.agentId must be the number of")
    );
    CHECK_THAT(refusal("/spec/agentId", "1"), Catch::Matchers::Contains("spec.agentId must be text"));
}

TEST_CASE("the registrar's report is read", "[api][registration]")
{
    const auto state = [](const char* status) {
        return read_registration_state(*changed(object_from(request_text), "/status", status));
    };
    CHECK(state("{}").phase == registration_phase::none);
    CHECK_FALSE(state("{}").touched_chain());
    CHECK(state(R"({"phase": "OffChainOnly"})").phase == registration_phase::off_chain_only);
    CHECK(state(R"({"phase": "Novel"})").phase == registration_phase::pending);
    CHECK(state(R"({"phase": "Confirmed", "agentId": "0"})").touched_chain());
    CHECK(state(R"({"phase": "Pending", "writeAhead": {"nonce": 1}})").touched_chain());
    CHECK_FALSE(state(R"({"phase": "Pending", "writeAhead": {}})").touched_chain());
}
