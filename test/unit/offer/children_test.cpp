#include "catch.hpp"
#include "offer/children.hpp"
#include "offer/drift.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using test::changed;
using test::world;

namespace {

const apply* find(const plan& all, child_kind kind)
{
    for (const apply& each : all.applies)
    {
        if (each.kind == kind)
            return &each;
    }
    return nullptr;
}

// The child that the first plan makes, as the bytes that go to the API server.
std::string made(const world& all, child_kind kind)
{
    const plan first = all.look();
    const apply* found = find(first, kind);
    return found ? boost::json::serialize(found->desired) : "none";
}

}  // namespace

TEST_CASE("the Middleware, byte for byte", "[controller][children]")
{
    CHECK(
        made(world(), child_kind::middleware) ==
        R"({"apiVersion":"traefik.io/v1alpha1","kind":"Middleware","metadata":{"name":"x402-hello","namespace":"shop",)"
        R"("labels":{"app.kubernetes.io/managed-by":"portitor","obol.org/serviceoffer":"hello"},)"
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"hello","uid":"offer-uid",)"
        R"("controller":true,"blockOwnerDeletion":true}],"annotations":{"obol.org/desired-hash":"04cdd734ca9af33d"}},)"
        R"("spec":{"forwardAuth":{"address":"http://portitor-verifier.portitor.svc:8080/verify/shop/hello",)"
        R"("trustForwardHeader":false,"authRequestHeaders":["X-Payment","Payment-Signature","Origin","Accept",)"
        R"("User-Agent","X-Request-Id"],"authResponseHeaders":["X-Payer","X-Payment-Response","Payment-Response",)"
        R"("X-Portitor-Route","X-Payment","Payment-Signature","X-Payment-Status","X-Payment-Tx","X-Payment-Payer",)"
        R"("X-Verified-Wallet"],"authResponseHeadersRegex":)"
        R"("(?i)^(x[-_.](payer|payment|verified[-_.]wallet|portitor[-_.]route))"
        R"(|x[-_.]payment[-_.](status|tx|payer|response)|payment[-_.](signature|response))"
        R"(|x[_.]forwarded[-_.](uri|method|host|proto)|x-forwarded[_.](uri|method|host|proto))$",)"
        R"("maxResponseBodySize":65536}}})"
    );
}

TEST_CASE("the Middleware for preflights, byte for byte", "[controller][children]")
{
    world all;
    CHECK(made(all, child_kind::cors) == "none");
    all.settings.gateway.cors_origins = {"https://shop.example", "http://localhost:3000"};
    const std::string cors = made(all, child_kind::cors);
    CAPTURE(cors);
    CHECK(
        cors.find(R"("kind":"Middleware","metadata":{"name":"cors-hello","namespace":"shop",)") != cors.npos
    );
    CHECK(
        cors.substr(cors.find("\"spec\"")) ==
        R"("spec":{"headers":{"accessControlAllowOriginList":["https://shop.example","http://localhost:3000"],)"
        R"("accessControlAllowMethods":["GET","HEAD","POST","PUT","PATCH","DELETE","OPTIONS"],)"
        R"("accessControlAllowHeaders":["X-PAYMENT","PAYMENT-SIGNATURE","Access-Control-Expose-Headers","Authorization",)"
        R"("Content-Type","*"],"accessControlExposeHeaders":["PAYMENT-REQUIRED","PAYMENT-RESPONSE",)"
        R"("X-PAYMENT-RESPONSE","X-Portitor-Route","*"],"accessControlMaxAge":600,"addVaryHeader":true}}})"
    );
    // Before the gate.
    const std::string route = made(all, child_kind::http_route);
    CHECK(route.find("cors-hello") < route.find("x402-hello"));
}

TEST_CASE("an answer that may be paid for is kept by no cache", "[controller][children]")
{
    const char* const modifier = R"({"type":"ResponseHeaderModifier","responseHeaderModifier":)"
                                 R"({"set":[{"name":"Cache-Control","value":"private, no-store"}],)"
                                 R"("remove":["CDN-Cache-Control","Surrogate-Control"]}})";
    world all;
    CHECK(made(all, child_kind::http_route).find(modifier) != std::string::npos);
    all.edit("/spec/routes", R"([{"path": "/free/*", "gate": "free"}])");
    CHECK(made(all, child_kind::http_route).find(modifier) != std::string::npos);
    // Where nothing is sold there is nothing to be sold again.
    all.edit("/spec/routes", R"([{"path": "/*", "gate": "free"}, {"path": "/", "gate": "free"}])");
    CHECK(made(all, child_kind::http_route).find("ResponseHeaderModifier") == std::string::npos);
}

TEST_CASE("the HTTPRoute, byte for byte", "[controller][children]")
{
    CHECK(
        made(world(), child_kind::http_route) ==
        R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"so-hello","namespace":"shop",)"
        R"("labels":{"app.kubernetes.io/managed-by":"portitor","obol.org/serviceoffer":"hello"},)"
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"hello","uid":"offer-uid",)"
        R"("controller":true,"blockOwnerDeletion":true}],"annotations":{"obol.org/desired-hash":"4385efd1c1f25aaa"}},)"
        R"("spec":{"parentRefs":[{"group":"gateway.networking.k8s.io","kind":"Gateway","namespace":"traefik",)"
        R"("name":"traefik-gateway"}],"hostnames":[],"rules":[{"matches":[{"path":{"type":"PathPrefix",)"
        R"("value":"/services/hello"}}],"filters":[{"type":"ExtensionRef","extensionRef":{"group":"traefik.io",)"
        R"("kind":"Middleware","name":"x402-hello"}},{"type":"URLRewrite","urlRewrite":{"path":{)"
        R"("type":"ReplacePrefixMatch","replacePrefixMatch":"/"}}},{"type":"ResponseHeaderModifier",)"
        R"("responseHeaderModifier":{"set":[{"name":"Cache-Control","value":"private, no-store"}],)"
        R"("remove":["CDN-Cache-Control","Surrogate-Control"]}}],"backendRefs":[{"group":"","kind":"Service",)"
        R"("name":"web","port":8080,"weight":1}]}]}})"
    );
}

TEST_CASE("the PaymentRoute, byte for byte", "[controller][children]")
{
    world all;
    all.edit(
        "/spec/routes",
        R"([{"path": "/free/*", "gate": "free"}, {"path": "/llm", "price": {"perMTok": "2.5"}},
                                 {"path": "/same"}])"
    );
    all.edit("/spec/upstream/credential", "\"litellm\"");
    CHECK(
        made(all, child_kind::payment_route) ==
        R"({"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{"name":"hello-payment","namespace":"shop",)"
        R"("labels":{"app.kubernetes.io/managed-by":"portitor","obol.org/serviceoffer":"hello"},)"
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"hello","uid":"offer-uid",)"
        R"("controller":true,"blockOwnerDeletion":true}],"annotations":{"obol.org/desired-hash":"cd474bdc99ec5880"}},)"
        R"("spec":{"pattern":"/services/hello/*","price":"10000","asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
        R"("payTo":"0x00000000000000000000000000000000000000AB","network":"eip155:84532",)"
        R"("facilitatorURL":"https://f.example","priceModel":"per-request","perMTok":"","approxTokensPerRequest":0,)"
        R"("description":"ServiceOffer hello","maxTimeoutSeconds":300,"settlement":"beforeResponse",)"
        R"("publicURL":"https://api.example.com/services/hello","credential":"litellm","suspended":false,)"
        R"("rules":[{"pattern":"/free/*","gate":"free"},)"
        R"({"pattern":"/llm","gate":"paid","price":"2500","priceModel":"per-mtok","perMTok":"2.5"},)"
        R"({"pattern":"/same","gate":"paid","price":"10000","priceModel":"per-request"}]}})"
    );
}

TEST_CASE("the RegistrationRequest, byte for byte", "[controller][children]")
{
    world all;
    all.edit(
        "/spec/registration",
        R"({"enabled": true, "description": "Says hello", "metadata": {"b": "2", "a": "1"}})"
    );
    all.sell();
    REQUIRE(all.seen.registration);
    all.seen.registration = nullptr;
    CHECK(
        made(all, child_kind::registration) ==
        R"({"apiVersion":"obol.org/v1alpha1","kind":"RegistrationRequest","metadata":{"name":"hello-registration",)"
        R"("namespace":"shop","labels":{"app.kubernetes.io/managed-by":"portitor","obol.org/serviceoffer":"hello"},)"
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"hello","uid":"offer-uid",)"
        R"("controller":true,"blockOwnerDeletion":true}],"finalizers":["obol.org/portitor"],)"
        R"("annotations":{"obol.org/desired-hash":"4737d86c0f25d5d1"}},)"
        R"("spec":{"name":"hello","description":"Says hello","endpoint":"https://api.example.com/services/hello",)"
        R"("image":"","chain":"base-sepolia","registry":"0x8004A818BFB912233c491871b3d84c89A494BD9e",)"
        R"("agentURI":"https://api.example.com/.well-known/agent-registration/offer-uid.json",)"
        R"("metadata":{"a":"1","b":"2"},"desiredState":"Active"}})"
    );
}

TEST_CASE("Authorization is taken from the verifier only where it sets one", "[controller][children]")
{
    world all;
    CHECK(made(all, child_kind::middleware).find("\"Authorization\"") == std::string::npos);
    all.edit("/spec/upstream/credential", "\"litellm\"");
    CHECK(
        made(all, child_kind::middleware).find(R"("X-Verified-Wallet","Authorization"])") != std::string::npos
    );
}

TEST_CASE(
    "the Middleware of an offer with a credential shows the verifier its token", "[controller][children]"
)
{
    world all;
    all.edit("/spec/upstream/credential", "\"litellm\"");
    const auto address = [&] {
        const std::string text = made(all, child_kind::middleware);
        const std::size_t begin = text.find("http://portitor");
        return text.substr(begin, text.find('"', begin) - begin);
    };
    const std::string token = all.settings.gate_key->token_for("shop", "hello", "offer-uid");
    const std::string shown = "http://portitor-verifier.portitor.svc:8080/verify/shop/hello?token=" + token;
    CHECK(address() == shown);

    // Another key, another token; and who has none takes the one that stands there.
    all.settle();
    CHECK(all.look().applies.empty());
    all.settings.gate_key = api::gate_key::make(std::string(32, 'l')).value();
    const plan again = all.look();
    REQUIRE(again.applies.size() == 1);
    CHECK(again.applies[0].kind == child_kind::middleware);
    CHECK_FALSE(again.applies[0].repair);
    all.settings.gate_key.reset();
    all.settings.gate_key_elsewhere = true;
    CHECK(all.look().applies.empty());
}

TEST_CASE("a hostname, a listener and a path of one's own", "[controller][children]")
{
    world all;
    all.settings.gateway.section = "web";
    all.settings.gateway.public_url = "https://api.example.com:8443";
    all.edit("/spec/hostname", "\"shop.example.org\"");
    all.edit("/spec/path", "\"/\"");
    CHECK(made(all, child_kind::http_route).find(R"("hostnames":["shop.example.org"])") != std::string::npos);
    CHECK(made(all, child_kind::http_route).find(R"("sectionName":"web")") != std::string::npos);
    CHECK(made(all, child_kind::http_route).find(R"("value":"/")") != std::string::npos);
    CHECK(made(all, child_kind::payment_route).find(R"("pattern":"/*")") != std::string::npos);
    CHECK(
        made(all, child_kind::payment_route).find(R"("publicURL":"https://shop.example.org:8443/")") !=
        std::string::npos
    );
}

TEST_CASE("an asset of 18 decimals is named by its symbol", "[controller][children]")
{
    world all;
    all.edit("/spec/payment/asset", R"({"symbol": "OBOL"})");
    CHECK(
        made(all, child_kind::payment_route).find(R"("price":"10000000000000000","asset":"0x0a09371a)") !=
        std::string::npos
    );
}

TEST_CASE("an edit by hand shows, wherever it is", "[controller][children]")
{
    struct edit
    {
        child_kind kind;
        const char* pointer;
        const char* text;
        const char* foreign;
    };
    const auto row = GENERATE(values<edit>({
        {child_kind::middleware, "/spec/forwardAuth/address", "\"http://evil\"", ""},
        {child_kind::middleware, "/spec/forwardAuth/trustForwardHeader", "true", ""},
        {child_kind::middleware, "/spec/forwardAuth/headerField", "\"X\"", "/spec/forwardAuth/headerField"},
        {child_kind::middleware, "/spec/forwardAuth/authRequestHeaders", "[\"Cookie\"]", ""},
        {child_kind::cors, "/spec/headers/accessControlAllowOriginList", "[\"*\"]", ""},
        {child_kind::cors, "/spec/headers/a", "1", "/spec/headers/a"},
        {child_kind::middleware, "/spec/forwardAuth/maxResponseBodySize", "", ""},
        {child_kind::middleware, "/spec/a~b", "{}", "/spec/a~0b"},
        {child_kind::http_route, "/spec/hostnames", "[\"a.b\"]", ""},
        {child_kind::http_route, "/spec/rules", "[]", ""},
        {child_kind::payment_route, "/spec/price", "\"1\"", ""},
        {child_kind::payment_route, "/spec/rules", "[{\"pattern\": \"/*\", \"gate\": \"free\"}]", ""},
        {child_kind::payment_route, "/spec/suspended", "true", ""},
        {child_kind::payment_route, "/metadata/labels", "{}", ""},
        {child_kind::payment_route, "/metadata/ownerReferences", "[]", ""},
        {child_kind::payment_route, "/metadata/annotations", "{}", ""},
    }));
    CAPTURE(test::name_of(row.kind), row.pointer);
    world all;
    all.settings.gateway.cors_origins = {"https://shop.example"};
    all.sell();
    kube::object_ptr& live = all.slot(row.kind);
    const kube::object_ptr before = live;
    // Without owner references it is ours by its labels; with neither it would be somebody else's.
    live = changed(live, row.pointer, row.text);
    const plan repair = all.look();
    const apply* step = find(repair, row.kind);
    REQUIRE(step);
    CHECK(step->uid == before->meta.uid);
    CHECK(
        step->foreign == (*row.foreign ? std::vector<std::string>{row.foreign} : std::vector<std::string>{})
    );
    all.carry_out(repair);
    CHECK_FALSE(differs(*all.slot(row.kind), step->desired));
}

TEST_CASE("a field inside a list that somebody added shows", "[controller][children]")
{
    world all;
    all.sell();
    auto raw = all.seen.http_route->raw;
    raw["spec"].at_pointer("/rules/0/matches/0").as_object()["method"] = "GET";
    all.seen.http_route = kube::parse_object(raw).value();
    const plan repair = all.step();
    REQUIRE(find(repair, child_kind::http_route));
    CHECK(repair.notes.at(0).reason == "DriftRepaired");
    CHECK(all.seen.http_route->spec().at("rules").at_pointer("/0/matches/0").as_object().size() == 1);
}

TEST_CASE("what others add to the metadata is theirs", "[controller][children]")
{
    world all;
    all.sell();
    auto raw = all.seen.payment_route->raw;
    boost::json::object& meta = raw["metadata"].as_object();
    meta["labels"].as_object()["team"] = "a";
    meta["annotations"].as_object()["note"] = "b";
    meta["finalizers"] = boost::json::array{"other.example/wait"};
    meta["ownerReferences"].as_array().push_back(boost::json::object{{"uid", "other"}, {"controller", false}}
    );
    all.seen.payment_route = kube::parse_object(raw).value();
    CHECK(all.look().empty());
}

TEST_CASE("whose a child is", "[controller][children]")
{
    world all;
    all.sell();
    const auto owned = all.seen.middleware;
    CHECK(api::is_made_for(*owned, all.offer->meta));
    const auto orphan = changed(owned, "/metadata/ownerReferences", "[]");
    CHECK(api::is_made_for(*orphan, all.offer->meta));
    CHECK_FALSE(api::is_made_for(*changed(orphan, "/metadata/labels", "{}"), all.offer->meta));
    const auto of_other =
        changed(orphan, "/metadata/ownerReferences", R"([{"uid": "x", "controller": true}])");
    CHECK_FALSE(api::is_made_for(*of_other, all.offer->meta));
    CHECK_FALSE(api::is_made_for(*owned, changed(all.offer, "/metadata/uid", "\"second-life\"")->meta));
}
