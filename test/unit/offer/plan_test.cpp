#include "catch.hpp"
#include "offer/plan.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::world;

namespace {

// The kinds that a list of steps is about, in order.
template <typename Steps>
std::string kinds(const Steps& steps)
{
    std::string out;
    for (const auto& each : steps)
        out += (out.empty() ? "" : " ") + std::string(test::name_of(each.kind));
    return out;
}

std::string reasons(const plan& all)
{
    std::string out;
    for (const note& each : all.notes)
        out += (out.empty() ? "" : " ") + std::string(each.type == note::severity::warning ? "!" : "") +
               each.reason;
    return out;
}

// What a plan would write, as one text.
std::string told(const plan& all)
{
    std::string out = fmt::format("{}{}", all.add_finalizer, all.remove_finalizer);
    for (const apply& each : all.applies)
        out += boost::json::serialize(each.desired);
    for (const auto& each : all.removes)
        out += each.uid;
    return out + (all.status ? boost::json::serialize(*all.status) : "") + reasons(all);
}

}  // namespace

TEST_CASE("a new offer gets its finalizer and all its children in one plan", "[controller][plan]")
{
    world all;
    const plan first = all.step();
    CHECK(first.add_finalizer);
    // The gate before the route: a route without its Middleware could be served by a wider one.
    CHECK(kinds(first.applies) == "PaymentRoute Middleware HTTPRoute");
    CHECK(first.removes.empty());
    CHECK(first.notes.empty());
    CHECK(all.verdict("UpstreamHealthy") == "Unknown/Probing");
    CHECK(all.verdict("PaymentGateReady") == "Unknown/WaitingForAdmission");
    CHECK(all.verdict("RoutePublished") == "Unknown/WaitingForGateway");
    CHECK(all.verdict("Registered") == "True/Disabled");
    CHECK(all.verdict("Ready") == "False/Probing");
    CHECK(all.phase() == "Pending");
    CHECK(kube::string_at(all.offer->status(), "endpoint") == "https://api.example.com/services/hello");
}

TEST_CASE("a plan is told in the order in which it is carried out", "[controller][plan]")
{
    world all;
    CHECK(
        describe(all.step()) ==
        std::vector<std::string>{
            "add the finalizer",
            "apply PaymentRoute shop/hello-payment",
            "apply Middleware shop/x402-hello",
            "apply HTTPRoute shop/so-hello",
            "write the status: Pending"}
    );
    all.settle();
    all.healthy();
    all.admit();
    all.publish();
    all.settle();
    CHECK(describe(all.step()).empty());
}

TEST_CASE("an offer converges, and then costs nothing", "[controller][plan]")
{
    world all;
    all.settle();
    all.healthy();
    CHECK(reasons(all.step()) == "Healthy");
    all.admit();
    CHECK(reasons(all.step()) == "Admitted");
    CHECK(all.verdict("Ready") == "False/WaitingForGateway");
    all.publish();
    CHECK(reasons(all.step()) == "Published Ready");
    CHECK(all.verdict("Ready") == "True/Ready");
    CHECK(all.phase() == "Ready");
    all.now += std::chrono::hours(5);
    CHECK(all.look().empty());
    CHECK_FALSE(all.look().next_check);
}

TEST_CASE("the same input gives the same plan", "[controller][plan]")
{
    world all;
    CHECK(told(all.look()) == told(all.look()));
    all.sell();
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    CHECK(told(all.look()) == told(all.look()));
}

TEST_CASE("transition times move only with the status", "[controller][plan]")
{
    world all;
    all.sell();
    const auto since = all.condition("Ready").last_transition_time;
    all.now += std::chrono::minutes(1);
    all.edit("/spec/payment/maxTimeoutSeconds", "60");
    all.settle();
    CHECK(all.verdict("Ready") == "False/WaitingForAdmission");
    CHECK(all.condition("Ready").last_transition_time != since);
    CHECK(all.condition("Ready").observed_generation == 2);
    CHECK(all.condition("Registered").last_transition_time == since);
}

TEST_CASE("a condition of somebody else is left out of the comparison", "[controller][plan]")
{
    world all;
    all.sell();
    auto raw = all.offer->raw;
    raw["status"].as_object()["conditions"].as_array().push_back(boost::json::object{
        {"type", "Audited"}, {"status", "True"}});
    all.offer = kube::parse_object(raw).value();
    CHECK(all.look().empty());
}

TEST_CASE("a child that was deleted is made again", "[controller][plan]")
{
    const child_kind child =
        GENERATE(child_kind::middleware, child_kind::http_route, child_kind::payment_route);
    world all;
    all.sell();
    const std::string kind = kube::string_at(all.slot(child)->raw, "kind");
    all.slot(child) = nullptr;
    CHECK(kinds(all.step().applies) == kind);
    CHECK(all.verdict("Ready").starts_with("False"));
}

TEST_CASE("a child that is being deleted is waited for", "[controller][plan]")
{
    world all;
    all.sell();
    all.seen.payment_route =
        changed(all.seen.payment_route, "/metadata/deletionTimestamp", R"("2026-11-24T20:00:00Z")");
    all.seen.payment_route = changed(all.seen.payment_route, "/spec/price", "\"1\"");
    CHECK(all.look().applies.empty());
}

TEST_CASE("UpstreamHealthy tells what the probe found", "[controller][conditions]")
{
    world all;
    all.sell();
    CHECK(all.condition("UpstreamHealthy").message == "http://web.shop.svc:8080/health answers");

    all.unhealthy(1, "HTTP 503");
    CHECK(reasons(all.step()) == "!Unhealthy");
    CHECK(all.verdict("UpstreamHealthy") == "False/Unhealthy");
    CHECK(all.verdict("Ready") == "False/Unhealthy");
    CHECK_THAT(
        all.condition("UpstreamHealthy").message,
        Contains("http://web.shop.svc:8080/health: HTTP 503; see that")
    );
    CHECK_THAT(all.condition("Ready").message, Catch::Matchers::StartsWith("UpstreamHealthy: "));
    CHECK(all.seen.payment_route->meta.generation == 1);

    // The count is no news: it must not cost a write each time.
    all.unhealthy(2, "HTTP 503");
    CHECK(all.look().empty());
}

TEST_CASE("three failures suspend the sale, one success lifts it", "[controller][conditions]")
{
    world all;
    all.sell();
    const auto suspended = [&] { return kube::bool_at(all.seen.payment_route->spec(), "suspended"); };
    all.unhealthy(2);
    all.settle();
    CHECK_FALSE(suspended());
    all.unhealthy(3);
    all.settle();
    CHECK(suspended());
    CHECK(all.phase() == "Suspended");
    CHECK_THAT(all.condition("UpstreamHealthy").message, Contains("nobody is asked to pay"));

    // A controller that starts anew knows nothing, and changes nothing; nor does the first failure that it
    // sees.
    all.admit();
    all.settle();
    all.seen.probe = {};
    CHECK(all.look().empty());
    all.unhealthy(1);
    all.settle();
    CHECK(suspended());

    all.healthy();
    all.settle();
    CHECK_FALSE(suspended());
    all.admit();
    all.settle();
    CHECK(all.phase() == "Ready");
}

TEST_CASE(
    "a controller that starts anew keeps a healthy verdict on the same spec", "[controller][conditions]"
)
{
    world all;
    all.sell();
    all.seen.probe = {};
    CHECK(all.look().empty());
    all.edit("/spec/upstream/port", "9090");
    all.step();
    CHECK(all.verdict("UpstreamHealthy") == "Unknown/Probing");
}

TEST_CASE("PaymentGateReady needs admission of the present terms", "[controller][conditions]")
{
    world all;
    all.sell();
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    all.step();
    CHECK(all.verdict("PaymentGateReady") == "Unknown/WaitingForAdmission");
    CHECK(kube::string_at(all.seen.payment_route->spec(), "price") == "20000");
    // The old verdict is about the old terms.
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "Unknown/WaitingForAdmission");
    all.admit();
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "True/Admitted");
}

TEST_CASE("a refusal of the verifier is passed on", "[controller][conditions]")
{
    world all;
    all.healthy();
    all.settle();
    all.refuse_admission("UnknownFacilitator", "https://f.example is not on my list");
    CHECK(reasons(all.step()) == "!NotAdmitted");
    CHECK(all.verdict("PaymentGateReady") == "False/NotAdmitted");
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("https://f.example is not on my list (UnknownFacilitator)")
    );
}

TEST_CASE("where the verifier's Service is named, it must have an endpoint", "[controller][conditions]")
{
    world all;
    all.sell();
    all.seen.verifier_ready = false;
    CHECK(all.look().empty());
    all.settings.gateway.verifier_service = {"portitor", "portitor-verifier"};
    all.step();
    CHECK(all.verdict("PaymentGateReady") == "False/NoVerifierEndpoints");
    all.seen.verifier_ready.reset();
    all.step();
    CHECK(all.verdict("PaymentGateReady") == "Unknown/NoVerifierEndpoints");
    all.seen.verifier_ready = true;
    all.step();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("a yes that one of the verifiers does not share is told with its name", "[controller][conditions]")
{
    world all;
    all.sell();
    all.seen.payment_route = test::changed(
        all.seen.payment_route,
        "/status",
        R"({"admitted": true, "lastAdmittedGeneration": 1, "conditions": [{"type": "Admitted", "status": "True",
            "reason": "RefusedBySome", "message": "a verifier serves it, but v-1 refuses it: no file",
            "observedGeneration": 1}]})"
    );
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "True/RefusedBySome");
    CHECK_THAT(all.condition("PaymentGateReady").message, Contains("v-1 refuses it: no file"));
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("without a verifier nobody waits for its word", "[controller][conditions]")
{
    world all;
    all.settings.gateway.verifier_service = {"portitor", "portitor-verifier"};
    all.seen.verifier_ready = false;
    all.healthy();
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "False/NoVerifierEndpoints");
    all.seen.verifier_ready = true;
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "Unknown/WaitingForAdmission");
}

TEST_CASE(
    "what the facilitator does not serve is not sold, and is again when it does", "[controller][conditions]"
)
{
    world all;
    all.sell();
    REQUIRE(all.verdict("Ready") == "True/Ready");
    CHECK(all.look().ask.facilitator == "https://f.example");

    all.list_networks({"eip155:1", "solana:x"});
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "False/NetworkNotServed");
    CHECK(all.verdict("Ready") == "False/NetworkNotServed");
    const std::string words = all.condition("PaymentGateReady").message;
    CHECK_THAT(words, Contains("facilitator default does not serve eip155:84532"));
    CHECK_THAT(words, Contains("eip155:1, solana:x"));
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(all.seen.payment_route);
    // It is asked on.
    CHECK(all.look().ask.facilitator == "https://f.example");
    // A controller that has just started believes what was found before it.
    all.seen.facilitator = {};
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "False/NetworkNotServed");
    CHECK(all.condition("PaymentGateReady").message == words);

    for (const char* listed : {"eip155:84532", "eip155:*"})
    {
        INFO(listed);
        all.list_networks({"eip155:1"});
        all.settle();
        CHECK(all.verdict("Ready") == "False/NetworkNotServed");
        all.list_networks({listed});
        all.sell();
        CHECK(all.verdict("Ready") == "True/Ready");
    }
}

TEST_CASE("a facilitator that does not say what it serves withholds nothing", "[controller][conditions]")
{
    world all;
    all.seen.facilitator.said = offer::facilitator_word::verdict::unknown;
    all.seen.facilitator.failure = "HTTP 404";
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("is not known, as GET /supported came to: HTTP 404")
    );
}

TEST_CASE("an address with a wrong checksum is nobody's for certain", "[controller][conditions]")
{
    struct row
    {
        const char* address;
        const char* said;  ///< of PaymentGateReady
    };
    const row rows[] = {
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "Unknown/WaitingForAdmission"},
        {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "Unknown/WaitingForAdmission"},
        {"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", "Unknown/WaitingForAdmission"},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd", "False/WrongChecksum"},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", "False/WrongChecksum"},
        {"0x0000000000000000000000000000000000000000", "False/InvalidSpec"},
    };
    for (const row& each : rows)
    {
        INFO(each.address);
        world all;
        all.edit("/spec/payment/payTo", fmt::format("\"{}\"", each.address));
        all.settle();
        CHECK(all.verdict("PaymentGateReady") == each.said);
        CHECK(
            static_cast<bool>(all.seen.payment_route) ==
            all.verdict("PaymentGateReady").starts_with("Unknown")
        );
    }
    world all;
    all.edit("/spec/payment/payTo", "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd\"");
    all.settle();
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("spec.payment.payTo") && Contains("is spelled 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    );
    all.edit("/spec/payment/payTo", "\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"");
    all.edit("/spec/payment/asset", R"({"address": "0x036cbd53842C5426634e7929541eC2318f3dCF7e"})");
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "False/WrongChecksum");
    CHECK_THAT(all.condition("PaymentGateReady").message, Contains("spec.payment.asset.address"));
}

TEST_CASE("a time that no buyer can meet is not sold", "[controller][conditions]")
{
    for (const auto& [seconds, said] :
         {std::pair{"1", "False/TimeoutTooShort"},
          std::pair{"9", "False/TimeoutTooShort"},
          std::pair{"10", "Unknown/WaitingForAdmission"},
          std::pair{"86400", "Unknown/WaitingForAdmission"}})
    {
        INFO(seconds);
        world all;
        all.edit("/spec/payment/maxTimeoutSeconds", seconds);
        all.settle();
        CHECK(all.verdict("PaymentGateReady") == said);
    }
    world all;
    all.edit("/spec/payment/maxTimeoutSeconds", "5");
    all.settle();
    CHECK_THAT(all.condition("PaymentGateReady").message, Contains("write 10 or more"));
}

TEST_CASE("without its Middleware no route counts as published", "[controller][conditions]")
{
    world all;
    all.sell();
    all.seen.middleware = nullptr;
    all.step();
    CHECK(all.verdict("PaymentGateReady") == "False/MiddlewareMissing");
    CHECK(all.verdict("RoutePublished") == "False/MiddlewareMissing");
    all.settle();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("RoutePublished reads the right parent, controller and generation", "[controller][conditions]")
{
    const std::string good = world::parent("True", "Accepted", 1, "traefik", "traefik-gateway");
    const std::string bad = world::parent(
        "False",
        "NotAllowedByListeners",
        1,
        "traefik",
        "traefik-gateway",
        "True",
        "traefik.io/gateway-controller"
    );
    struct row
    {
        std::string parents;
        std::string verdict;
        std::string message;
    };
    const auto each = GENERATE_COPY(values<row>({
        {"", "Unknown/WaitingForGateway", "has not answered"},
        {good, "True/Published", "publishes the route"},
        {world::parent("True", "Accepted", 1, "other", "traefik-gateway"),
         "Unknown/WaitingForGateway",
         "not answered"},
        {world::parent("True", "Accepted", 1, "traefik", "other"),
         "Unknown/WaitingForGateway",
         "not answered"},
        {world::parent("True", "Accepted", 0, "traefik", "traefik-gateway"),
         "Unknown/WaitingForGateway",
         "has not judged the present route"},
        {world::parent("True", "Accepted", 1, "traefik", "traefik-gateway", "True", ""),
         "Unknown/WaitingForGateway",
         "not answered"},
        {world::parent("True", "Accepted", 1, "traefik", "traefik-gateway", "True", "example.com/another"),
         "Unknown/WaitingForGateway",
         "not answered"},
        {world::parent("False", "NoMatchingParent", 1, "traefik", "traefik-gateway"),
         "False/NoMatchingParent",
         "Accepted is False: words of the gateway"},
        {world::parent("True", "Accepted", 1, "traefik", "traefik-gateway", "False"),
         "False/BackendNotFound",
         "ResolvedRefs is False: words of the gateway"},
        {bad, "False/NotAllowedByListeners", "words of the gateway"},
        {bad + ", " + good, "True/Published", "publishes the route"},
        {world::parent("True", "Accepted", 0, "traefik", "traefik-gateway") + ", " + bad,
         "False/NotAllowedByListeners",
         "words of the gateway"},
        {"7", "Unknown/WaitingForGateway", "not answered"},
        {R"({"parentRef": 7, "controllerName": "x"})", "Unknown/WaitingForGateway", "not answered"},
    }));
    world all;
    all.healthy();
    all.settle();
    all.set_parents(each.parents);
    all.step();
    CAPTURE(each.parents);
    CHECK(all.verdict("RoutePublished") == each.verdict);
    CHECK_THAT(all.condition("RoutePublished").message, Contains(each.message));
}

TEST_CASE(
    "what cannot be sold is not published, and the condition says what to correct", "[controller][conditions]"
)
{
    struct row
    {
        const char* pointer;
        const char* value;
        const char* condition;
        const char* reason;
        const char* message;
    };
    const auto each = GENERATE(values<row>({
        {"/spec/payment/payTo",
         "\"0x1\"",
         "PaymentGateReady",
         "InvalidSpec",
         "spec.payment.payTo must be an address"},
        {"/spec/payment/price/perRequest",
         "\"0,01\"",
         "PaymentGateReady",
         "InvalidPrice",
         "spec.payment.price.perRequest"},
        {"/spec/payment/price/perRequest", "\"0\"", "PaymentGateReady", "InvalidPrice", "is zero"},
        {"/spec/payment/price/perRequest", "\"0.0000001\"", "PaymentGateReady", "InvalidPrice", "only 6"},
        {"/spec/routes",
         "[{\"path\": \"/a\"}, {\"path\": \"/b\", \"price\": {\"perRequest\": \"abc\"}}]",
         "PaymentGateReady",
         "InvalidPrice",
         "spec.routes[1].price.perRequest"},
        {"/spec/payment/network", "\"dogechain\"", "PaymentGateReady", "UnknownNetwork", "\"dogechain\""},
        {"/spec/payment/network", "\"solana\"", "PaymentGateReady", "UnknownAsset", "has no asset on solana"},
        {"/spec/payment/asset",
         "{\"symbol\": \"DAI\"}",
         "PaymentGateReady",
         "UnknownAsset",
         "spec.payment.asset"},
        {"/spec/payment/asset",
         "{\"symbol\": \"USDC\", \"decimals\": 18}",
         "PaymentGateReady",
         "UnknownAsset",
         "decimals"},
        {"/spec/payment/asset",
         "{\"symbol\": \"USDC\", \"eip712Name\": \"USD Coin\"}",
         "PaymentGateReady",
         "UnknownAsset",
         "EIP-712"},
        {"/spec/payment/asset",
         "{\"symbol\": \"OBOL\", \"transferMethod\": \"permit2\"}",
         "PaymentGateReady",
         "UnsupportedAsset",
         "OBOL is moved by eip3009 on eip155:84532; write that"},
        {"/spec/payment/settlement",
         "\"afterResponse\"",
         "PaymentGateReady",
         "UnsupportedSettlement",
         "write beforeResponse"},
        {"/spec/payment/facilitator", "\"evil\"", "PaymentGateReady", "UnknownFacilitator", "\"evil\""},
        {"/spec/upstream/credential", "\"none\"", "PaymentGateReady", "UnknownCredential", "\"none\""},
        {"/spec/upstream/credential",
         "\"secret\"",
         "PaymentGateReady",
         "UnknownCredential",
         "namespace shop"},
        {"/spec/upstream/namespace",
         "\"kube-system\"",
         "UpstreamHealthy",
         "CrossNamespaceUpstream",
         "kube-system"},
        {"/spec/path", "\"/\"", "RoutePublished", "ReservedPath", "or give the offer a hostname"},
        {"/spec/path", "\"/services\"", "RoutePublished", "ReservedPath", "/services/hello"},
        {"/spec/path", "\"/api\"", "RoutePublished", "ReservedPath", "reserved"},
        {"/spec/path", "\"/.well-known/x\"", "RoutePublished", "ReservedPath", "reserved"},
    }));
    CAPTURE(each.pointer, each.value);
    const std::string verdict = std::string("False/") + each.reason;

    SECTION("a new offer gets no children")
    {
        world all;
        all.healthy();
        all.edit(each.pointer, each.value);
        const plan first = all.step();
        CHECK(first.add_finalizer);
        CHECK(first.applies.empty());
        CHECK(reasons(first).find(std::string("!") + each.reason) != std::string::npos);
        CHECK(all.verdict(each.condition) == verdict);
        CHECK_THAT(all.condition(each.condition).message, Contains(each.message));
        CHECK(all.verdict("Ready") == verdict);
        CHECK(all.phase() == "Blocked");
        CHECK(kube::string_at(all.offer->status(), "endpoint").empty());
        CHECK(all.look().empty());
    }
    SECTION("an offer that was sold is taken down, the route first and the terms last")
    {
        world all;
        all.sell();
        all.edit(each.pointer, each.value);
        CHECK(kinds(all.step().removes) == "HTTPRoute");
        CHECK(kinds(all.step().removes) == "Middleware");
        CHECK(kinds(all.step().removes) == "PaymentRoute");
        CHECK(all.verdict(each.condition) == verdict);
        CHECK(all.look().empty());

        all.offer = all.edited(
            changed(all.offer, "/spec", "{}"), "/spec", boost::json::serialize(world().offer->spec())
        );
        all.sell();
        CHECK(all.verdict("Ready") == "True/Ready");
    }
}

TEST_CASE("that what is free gets no credential is told", "[controller][conditions]")
{
    world all;
    const std::string told = "without the credential";
    all.edit("/spec/routes", R"([{"path": "/docs", "gate": "free"}, {"path": "/a"}])");
    all.sell();
    CHECK_THAT(all.condition("PaymentGateReady").message, !Contains(told));
    all.edit("/spec/upstream/credential", "\"litellm\"");
    all.sell();
    CHECK_THAT(all.condition("PaymentGateReady").message, Contains(told));
    all.edit("/spec/routes", R"([{"path": "/a"}])");
    all.sell();
    CHECK_THAT(all.condition("PaymentGateReady").message, !Contains(told));
}

TEST_CASE("without a gate key only what needs no credential is sold", "[controller][conditions]")
{
    world all;
    all.settings.gate_key.reset();
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
    all.edit("/spec/upstream/credential", "\"litellm\"");
    CHECK(kinds(all.step().removes) == "HTTPRoute");
    CHECK(all.verdict("PaymentGateReady") == "False/NoGateKey");
    CHECK_THAT(all.condition("PaymentGateReady").message, Contains("--gate-key-file"));
    // That somebody else has the key will do for who only looks.
    all.settings.gate_key_elsewhere = true;
    CHECK(all.look().removes.empty());
}

TEST_CASE("paths that only look reserved are not", "[controller][conditions]")
{
    const std::string path = GENERATE("/apis", "/services/api", "/rpcs/x", "/openapi.json5");
    world all;
    all.edit("/spec/path", '"' + path + '"');
    CHECK(all.look().applies.size() == 3);
}

TEST_CASE("the younger of two offers of one path is not published", "[controller][conditions]")
{
    world all;
    all.seen.path_owner = "other/older";
    all.step();
    CHECK(all.verdict("RoutePublished") == "False/PathConflict");
    // Who it is, is not for this namespace to know.
    CHECK_THAT(all.condition("RoutePublished").message, Contains("an earlier offer of another namespace"));
    CHECK_THAT(all.condition("RoutePublished").message, !Contains("other/older"));
    CHECK_FALSE(all.seen.http_route);
    all.seen.path_owner = "shop/older";
    all.step();
    CHECK_THAT(all.condition("RoutePublished").message, Contains("the earlier offer shop/older"));
    all.seen.path_crowded = true;
    all.step();
    CHECK_THAT(all.condition("RoutePublished").message, Contains("an earlier offer of this namespace"));
    // So that whoever of them gets the path, the others' words stay as they are.
    all.seen.path_owner = "shop/next";
    CHECK(all.look().empty());
    all.seen.path_owner.clear();
    all.sell();
    CHECK(all.phase() == "Ready");
}

TEST_CASE("an offer beyond its namespace's limit is withheld, and not probed", "[controller][limits]")
{
    world all;
    all.sell();
    REQUIRE(all.phase() == "Ready");
    all.settings.lists.offers.per_namespace = 20;
    all.seen.beyond_limit = true;
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/TooManyOffers");
    // Nobody waits for a probe that does not come, or goes by what an old one found.
    CHECK(all.verdict("UpstreamHealthy") == "Unknown/Withheld");
    CHECK(all.verdict("Ready") == "False/TooManyOffers");
    CHECK_THAT(
        all.condition("RoutePublished").message,
        Contains("sells 20 offers of a namespace (offers-per-namespace; in the chart ") && Contains("shop")
    );
    CHECK(all.phase() == "Blocked");
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(all.seen.payment_route);
    CHECK_FALSE(all.look().ask.upstream);
    all.seen.beyond_limit = false;
    all.sell();
    CHECK(all.phase() == "Ready");
}

TEST_CASE("an ExternalName is neither sold nor asked", "[controller][upstream]")
{
    world all;
    all.sell();
    all.seen.service = service_nature::external;
    all.settle();
    CHECK(all.verdict("UpstreamHealthy") == "False/ExternalNameUpstream");
    CHECK_THAT(all.condition("UpstreamHealthy").message, Contains("Service web of shop is an ExternalName"));
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(all.look().ask.upstream);
    all.seen.service = service_nature::ordinary;
    CHECK(all.look().ask.upstream);
}

TEST_CASE(
    "of a Service without a selector it is told that nothing answers, and not what", "[controller][upstream]"
)
{
    const auto [failure, told] =
        GENERATE(std::pair("HTTP 403", "HTTP 403"), std::pair("connection refused", "connection refused"));
    world all;
    all.sell();
    all.unhealthy(1, failure);
    all.step();
    CHECK_THAT(all.condition("UpstreamHealthy").message, Contains(told));
    all.seen.service = service_nature::by_hand;
    all.step();
    CHECK(all.verdict("UpstreamHealthy") == "False/Unhealthy");
    CHECK_THAT(all.condition("UpstreamHealthy").message, Contains("no answer with 2xx") && !Contains(told));
    CHECK(all.look().ask.upstream);
}

TEST_CASE(
    "what was True before waits for its time to be True again, and what ends does not", "[controller][status]"
)
{
    using namespace std::chrono_literals;
    world all;
    all.sell();
    all.seen.been_true = {"UpstreamHealthy", "Ready"};
    all.seen.recovery_wait = 7s;
    all.unhealthy(1, "HTTP 500");
    const plan ends = all.step();
    CHECK(ends.status);
    CHECK_FALSE(ends.recovers);
    CHECK(all.verdict("Ready").starts_with("False"));
    all.healthy();
    const plan waits = all.look();
    CHECK_FALSE(waits.status);
    CHECK(waits.notes.empty());
    CHECK(waits.next_check == 7s);
    // The first time is never a recovery.
    all.seen.been_true = {};
    CHECK(all.look().status);
    CHECK_FALSE(all.look().recovers);
    all.seen.been_true = {"UpstreamHealthy", "Ready"};
    all.seen.recovery_wait = 0s;
    const plan heals = all.step();
    CHECK(heals.recovers);
    CHECK(heals.better == std::vector<std::string>{"UpstreamHealthy", "Ready"});
    CHECK(all.verdict("Ready").starts_with("True"));
}

TEST_CASE("other words alone wait for their time, a change of a status does not", "[controller][status]")
{
    using namespace std::chrono_literals;
    world all;
    all.sell();
    all.unhealthy(1, "HTTP 500");
    CHECK_FALSE(all.step().only_words);
    all.unhealthy(1, "HTTP 501");
    CHECK(all.look().only_words);
    all.seen.words_wait = 7s;
    const plan waits = all.look();
    CHECK_FALSE(waits.status);
    CHECK(waits.next_check == 7s);
    CHECK(waits.notes.empty());
    all.seen.words_wait = 0s;
    CHECK(all.step().status);
    CHECK_THAT(all.condition("UpstreamHealthy").message, Contains("HTTP 501"));
    all.seen.words_wait = 60s;
    all.healthy();
    const plan heals = all.step();
    CHECK(heals.status);
    CHECK_FALSE(heals.only_words);
    CHECK(all.verdict("UpstreamHealthy") == "True/Healthy");
    // Nor does a new generation.
    all.edit("/spec/upstream/healthPath", "\"/other\"");
    CHECK(all.step().status);
}

TEST_CASE("without a Gateway the conditions say how to name one", "[controller][conditions]")
{
    world all;
    all.settings.gateway.gateway = {};
    all.step();
    CHECK(all.verdict("RoutePublished") == "False/NoGateway");
    CHECK_THAT(all.condition("Ready").message, Contains("--gateway NAMESPACE/NAME"));
}

TEST_CASE(
    "preflights have a Middleware while the operator names origins, and no longer", "[controller][plan]"
)
{
    world all;
    all.settings.gateway.cors_origins = {"https://shop.example"};
    all.sell();
    REQUIRE(all.seen.cors);
    CHECK(all.verdict("Ready") == "True/Ready");
    const auto names_it = [&] {
        return boost::json::serialize(all.seen.http_route->raw).find("cors-hello") != std::string::npos;
    };
    CHECK(names_it());

    // Gone or edited, it is put right.
    all.seen.cors = nullptr;
    all.step();
    CHECK(all.verdict("PaymentGateReady") == "False/MiddlewareMissing");
    all.settle();
    REQUIRE(all.seen.cors);

    // Without origins the route lets go of it first.
    all.settings.gateway.cors_origins.clear();
    const plan first = all.step();
    CHECK(first.removes.empty());
    CHECK_FALSE(names_it());
    CHECK(all.seen.cors);
    all.sell();
    CHECK_FALSE(all.seen.cors);
    CHECK(all.verdict("Ready") == "True/Ready");

    // And it goes with the offer.
    all.settings.gateway.cors_origins = {"*"};
    all.settle();
    REQUIRE(all.seen.cors);
    all.mark_deleted();
    all.settle();
    CHECK_FALSE(all.offer);
    CHECK_FALSE(all.seen.cors);
}

TEST_CASE("a Middleware of somebody else by that name counts only where it is wanted", "[controller][plan]")
{
    world all;
    all.settings.gateway.cors_origins = {"*"};
    all.sell();
    all.seen.cors =
        changed(changed(all.seen.cors, "/metadata/ownerReferences", "[]"), "/metadata/labels", "{}");
    const kube::object_ptr before = all.seen.cors;
    all.settle();
    CHECK(all.verdict("PaymentGateReady") == "False/NameTaken");
    CHECK_FALSE(all.seen.http_route);
    all.settings.gateway.cors_origins.clear();
    all.settle();
    CHECK(all.seen.cors == before);
    CHECK(all.seen.http_route);
}

TEST_CASE("an offer may say how its asset is moved, and nothing else about it", "[controller][plan]")
{
    world all;
    all.edit("/spec/payment/asset", R"({"symbol": "OBOL", "transferMethod": "eip3009"})");
    CHECK_FALSE(all.look().blocked);
    x402::network by_permit2 = *all.settings.lists.networks.table.find("eip155:84532");
    for (x402::token& each : by_permit2.tokens)
        each.method = x402::transfer_method::permit2;
    x402::network_table other;
    REQUIRE(other.add(std::move(by_permit2)).has_value());
    all.settings.lists.networks.table = std::move(other);
    CHECK(all.look().blocked->reason == "UnsupportedAsset");
    all.edit("/spec/payment/asset", R"({"symbol": "OBOL", "transferMethod": "permit2"})");
    CHECK_FALSE(all.look().blocked);
    // Without the word it is the same asset.
    all.edit("/spec/payment/asset", R"({"symbol": "OBOL"})");
    CHECK_FALSE(all.look().blocked);
}

TEST_CASE(
    "a child of somebody else is never touched, and nothing is published over it", "[controller][conditions]"
)
{
    const child_kind child =
        GENERATE(child_kind::middleware, child_kind::http_route, child_kind::payment_route);
    const std::string owners =
        GENERATE("[]", R"([{"kind": "Other", "name": "o", "uid": "x", "controller": true}])");
    CAPTURE(test::name_of(child), owners);
    world all;
    all.sell();
    kube::object_ptr& taken = all.slot(child);
    taken = changed(changed(taken, "/metadata/ownerReferences", owners), "/metadata/labels", "{}");
    const kube::object_ptr before = taken;
    all.settle();
    CHECK(taken == before);
    CHECK((!all.seen.http_route || child == child_kind::http_route));
    const char* type = child == child_kind::http_route ? "RoutePublished" : "PaymentGateReady";
    CHECK(all.verdict(type) == "False/NameTaken");
    CHECK_THAT(all.condition(type).message, Contains("is left alone; delete or rename it"));
    CHECK(all.verdict("Ready") == "False/NameTaken");

    all.mark_deleted();
    all.settle();
    CHECK_FALSE(all.offer);
    CHECK(taken == before);
}

TEST_CASE("an apply that failed is told while there is something to write", "[controller][conditions]")
{
    world all;
    all.healthy();
    all.seen.apply_errors[child_kind::middleware] = "500: field not declared in schema";
    all.carry_out([&] {
        plan first = all.look();
        std::erase_if(first.applies, [](const apply& each) {
            return test::name_of(each.kind) == "Middleware";
        });
        return first;
    }());
    CHECK(all.verdict("PaymentGateReady") == "False/ApplyFailed");
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("Middleware cannot be written: 500: field not declared")
    );
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("who keeps changing a child is answered in time, and shown", "[controller][repair]")
{
    world all;
    all.sell();
    const auto spoil = [&] {
        all.seen.middleware =
            all.edited(all.seen.middleware, "/spec/forwardAuth/address", "\"http://elsewhere\"");
    };
    spoil();
    const plan repairs = all.look();
    REQUIRE(repairs.applies.size() == 1);
    CHECK(repairs.applies.front().repair);
    CHECK_FALSE(repairs.next_check);

    all.seen.repair_waits[child_kind::middleware] = std::chrono::milliseconds(700);
    const plan waits = all.step();
    CHECK(waits.applies.empty());
    CHECK(waits.next_check == std::chrono::milliseconds(700));
    CHECK(all.verdict("PaymentGateReady") == "False/Disputed");
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("Middleware x402-hello is changed or deleted again")
    );
    CHECK_THAT(
        all.condition("PaymentGateReady").message,
        Contains("kubectl get middlewares.traefik.io x402-hello -n shop")
    );
    CHECK(all.look().empty());  // waiting costs no writes

    all.seen.repair_waits = {};
    all.settle();
    CHECK(all.verdict("Ready") == "True/Ready");

    // An edit of the offer is no repair: it does not wait.
    all.seen.repair_waits[child_kind::payment_route] = std::chrono::milliseconds(700);
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    CHECK(all.look().applies.size() == 1);
}

TEST_CASE("a draining offer is sold through its grace period, then taken down", "[controller][drain]")
{
    world all;
    all.sell();
    all.edit("/spec/drainAt", "\"2026-11-24T21:00:00Z\"");
    all.settle();
    CHECK(all.verdict("Draining") == "/");
    CHECK(all.look().next_check == std::chrono::hours(1));

    all.now += std::chrono::hours(1);
    CHECK(reasons(all.step()) == "Draining");
    CHECK(all.verdict("Draining") == "True/Draining");
    CHECK_THAT(all.condition("Draining").message, Contains("sold until 2026-11-24T22:00:00Z"));
    CHECK(all.phase() == "Draining");
    CHECK(all.verdict("Ready") == "True/Ready");
    CHECK(all.look().empty());
    CHECK(all.look().next_check == std::chrono::hours(1));

    all.now += std::chrono::hours(1);
    CHECK(kinds(all.step().removes) == "HTTPRoute");
    CHECK(kinds(all.step().removes) == "Middleware");
    CHECK(kinds(all.step().removes) == "PaymentRoute");
    CHECK(all.look().empty());
    CHECK_FALSE(all.look().next_check);
    CHECK(all.phase() == "Drained");
    CHECK(all.verdict("Draining") == "True/Drained");
    CHECK(all.verdict("Ready") == "False/Drained");

    all.edit("/spec/drainAt", "");
    all.sell();
    CHECK(all.phase() == "Ready");
    CHECK(all.verdict("Draining") == "/");
}

TEST_CASE("a grace period of zero takes an offer down at once", "[controller][drain]")
{
    world all;
    all.sell();
    all.edit("/spec/drainAt", "\"2026-11-24T20:00:00Z\"");
    all.edit("/spec/drainGracePeriod", "\"0s\"");
    all.settle();
    CHECK_FALSE(all.seen.payment_route);
    CHECK(all.phase() == "Drained");
}

TEST_CASE("an offer that cannot be read is taken down, and says why", "[controller][plan]")
{
    world all;
    all.sell();
    auto cut = std::make_shared<kube::object>(*all.offer);
    cut->unreadable = "spec.routes has more than 8388608 bytes";
    all.offer = cut;
    const plan next = all.look();
    REQUIRE(next.removes.size() == 1);
    CHECK(test::name_of(next.removes[0].kind) == "HTTPRoute");
    CHECK(next.applies.empty());
    REQUIRE(next.status);
    const auto conditions = kube::parse_conditions(*next.status);
    const auto* gate = kube::find_condition(conditions, "PaymentGateReady");
    REQUIRE(gate);
    CHECK(gate->reason == "InvalidSpec");
    CHECK_THAT(gate->message, Contains("spec.routes has more than 8388608 bytes"));
    CHECK(kube::find_condition(conditions, "Ready")->status == "False");
}

TEST_CASE("a fault of ours is told in the offer, once for each generation", "[controller][plan]")
{
    world all;
    all.sell();
    const auto status_of = [](const plan& of) { return kube::parse_conditions(of.status.value()); };
    const plan first = make_fault_plan(all.observation(), "std::bad_alloc", all.now);
    CHECK(first.applies.empty());
    // What was published for this very spec was right.
    CHECK(first.removes.empty());
    const auto said = status_of(first);
    const auto* ready = kube::find_condition(said, "Ready");
    REQUIRE(ready);
    CHECK(ready->status == "False");
    CHECK(ready->reason == "InternalError");
    CHECK_THAT(ready->message, Contains("std::bad_alloc"));
    CHECK(ready->observed_generation == all.offer->meta.generation);
    // The rest stays, also because it would be gone if it were not applied again.
    CHECK(kube::find_condition(said, "RoutePublished")->status == "True");
    CHECK(said.size() == kube::parse_conditions(all.offer->status()).size());
    CHECK(kube::string_at(*first.status, "endpoint") == "https://api.example.com/services/hello");

    all.offer = changed(all.offer, "/status", boost::json::serialize(*first.status));
    CHECK(make_fault_plan(all.observation(), "in other words", all.now).empty());
    // It is over: what holds is told again.
    CHECK(all.step().status.has_value());
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("a spec that nobody could judge is not sold at the terms of the last one", "[controller][plan]")
{
    world all;
    all.sell();
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    std::string removed;
    for (int i = 0; i < 6; ++i)
    {
        const plan next = make_fault_plan(all.observation(), "a fault", all.now);
        removed += kinds(next.removes) + " ";
        all.carry_out(next);
    }
    CHECK_THAT(removed, Catch::Matchers::StartsWith("HTTPRoute Middleware PaymentRoute "));
    CHECK_FALSE(all.seen.payment_route);
    all.mark_deleted();
    CHECK(make_fault_plan(all.observation(), "a fault", all.now).empty());
}
