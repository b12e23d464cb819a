#include "gateway_world.hpp"

#include <regex>

using namespace portitor;
using namespace portitor::cli;
using namespace portitor::cli::explain::samples;

TEST_CASE("explain needs something to explain", "[cli][explain]")
{
    command_world w;
    const auto nothing = w.run({"explain"});
    CHECK(nothing.code == 2);
    CHECK(nothing.err.find("name a URL or a path") != std::string::npos);
    CHECK(w.run({"explain", "/x", "-o", "xml"}).code == 2);
    for (const char* bad :
         {"ftp://a.example/x",
          "nonsense",
          "http://",
          "http:///x",
          "http://a b/",
          "http://h:abc/",
          "http://h:70000/",
          "http://h:/x",
          "https://ü.example/"})
    {
        INFO(bad);
        CHECK(w.run({"explain", bad}).code == 2);
    }
    CHECK(w.run({"explain", "/x", "--host=a,b"}).code == 2);
    CHECK(w.run({"explain", "/x", "-X", "G ET"}).code == 2);
    const auto lines = w.run({"explain", "-f", "-"}, "ftp://a/x\n/services/hello\r\n");
    CHECK(lines.code == 2);
    CHECK(lines.out.find("GET /services/hello\n") != std::string::npos);
    const auto nowhere = w.run({"explain", "/services/hello"});
    CHECK(nowhere.code == 1);
    CHECK(nowhere.out.find("no HTTPRoute of the Gateway takes it") != std::string::npos);
}

TEST_CASE("explain tells an offer that the operator's selector leaves out", "[cli][explain]")
{
    command_world w;
    w.create(
        api::service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"web"},)"
        R"("spec":{"upstream":{"service":"web","port":80},"payment":{"network":"base-sepolia",)"
        R"("payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})"
    );
    const auto told = w.run({"explain", "/services/web/x", "--offer-selector=sell=yes"});
    CHECK(told.code == 1);
    CHECK(
        told.out.find(
            "the ServiceOffer shop/web asks for this place, and the operator's offer-selector (sell=yes)"
        ) != std::string::npos
    );
    CHECK(w.run({"explain", "/services/web/x", "--offer-selector=a in (b"}).code == 2);
}

TEST_CASE("a suspended route, and one that nobody serves, are told as the verifier would", "[cli][explain]")
{
    command_world w;
    const auto offer = w.create(
        api::service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"web"},)"
        R"("spec":{"upstream":{"service":"web","port":80},"payment":{"network":"base-sepolia",)"
        R"("payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})"
    );
    const std::string owner =
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"web",)"
        R"("controller":true,"uid":")" +
        offer->meta.uid + R"("}])";
    w.create(
        api::payment_route_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{"namespace":"shop",)"
        R"("name":"web-payment",)" +
            owner +
            R"(},"spec":{"pattern":"/services/web/*","price":"10000","network":"eip155:84532","suspended":true,)"
            R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","facilitatorURL":"https://www.x402.org/facilitator",)"
            R"("payTo":"0x00000000000000000000000000000000000000AB"}})"
    );
    w.create(
        api::middleware_resource,
        R"({"apiVersion":"traefik.io/v1alpha1","kind":"Middleware","metadata":{"namespace":"shop",)"
        R"("name":"x402-web"},"spec":{"forwardAuth":{"address":)"
        R"("http://portitor-verifier.portitor.svc:8080/verify/shop/web"}}})"
    );
    const auto route = [&](const std::string& name, const std::string& path, const std::string& middleware) {
        w.create(
            api::http_route_resource,
            R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"namespace":"shop",)"
            R"("name":")" +
                name + R"("},"spec":{"parentRefs":[{"name":"traefik-gateway","namespace":"traefik"}],)" +
                R"("rules":[{"matches":[{"path":{"type":"PathPrefix","value":")" + path +
                R"("}}],"filters":[)" + R"({"type":"ExtensionRef","extensionRef":{"group":"traefik.io",)" +
                R"("kind":"Middleware","name":")" + middleware + R"("}}]}]}})"
        );
        w.report(
            api::http_route_resource,
            name,
            R"({"parents":[{"parentRef":{"name":"traefik-gateway","namespace":"traefik"},"controllerName":)"
            R"("traefik.io/gateway-controller",)"
            R"("conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"",)"
            R"("observedGeneration":1,)"
            R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}]})"
        );
    };
    route("so-web", "/services/web", "x402-web");
    route("so-gone", "/services/gone", "x402-gone");
    const auto told = w.run({"explain", "/services/web/a", "/services/gone", "-o", "json"});
    INFO(told.err);
    const json::array all = json::parse(told.out).as_array();
    REQUIRE(all.size() == 2);
    CHECK(kube::string_at(all[0].as_object(), "outcome") == "suspended");
    CHECK(kube::int_at(all[0].as_object(), "status") == 503);
    CHECK(kube::string_at(all[0].as_object(), "offer") == "shop/web");
    CHECK(kube::int_at(all[1].as_object(), "status") == 404);
    CHECK(told.out.find("its Middleware x402-gone is missing") != std::string::npos);
}

TEST_CASE("what a rule without a gate does is told as the gateway does it", "[cli][explain]")
{
    gateway_world w;
    w.route("open", "/open", to("web"));
    w.route("redirected", "/redirected", R"("filters":[)" + redirect + "]");
    w.route("empty", "/empty", "");
    w.route("nobody", "/nobody", to("nobody"));
    w.route("no-port", "/no-port", to("web", 81));
    w.route("weightless", "/weightless", R"("backendRefs":[{"name":"web","port":80,"weight":0}])");
    w.route("foreign", "/foreign", R"("backendRefs":[{"name":"web","namespace":"other","port":80}])");
    w.route("half", "/half", R"("backendRefs":[{"name":"web","port":80},{"name":"nobody","port":80}])");
    w.route(
        "mirrored",
        "/mirrored",
        R"("filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"name":"web","port":80}}}],)" +
            to("web")
    );
    CHECK(w.verdict("/open") == "gateway 0 unpaid");
    CHECK(w.verdict("/redirected") == "gateway 301");
    CHECK(w.run({"explain", "/redirected"}).out.find("redirects it to scheme https") != std::string::npos);
    CHECK(w.verdict("/empty") == "gateway 503");
    CHECK(w.verdict("/nobody") == "gateway 500");
    CHECK(w.verdict("/no-port") == "gateway 500");
    CHECK(w.verdict("/weightless") == "gateway 503");
    CHECK(w.verdict("/foreign") == "gateway 500");
    CHECK(w.verdict("/half") == "gateway 0 unpaid");
    CHECK(w.run({"explain", "/half"}).out.find("some of its backends do not answer") != std::string::npos);
    CHECK(w.verdict("/mirrored") == "gateway 500");
}

TEST_CASE(
    "a rule goes through its Middlewares, chains too, and one that is missing ends it", "[cli][explain]"
)
{
    gateway_world w;
    w.sell();
    const std::string behind = "," + to("web");
    const auto told = [&](const std::string& filters) {
        w.route("own", "/services/web", filters);
        const std::string out = w.verdict("/services/web/a");
        w.remove(api::http_route_resource, "own");
        return out;
    };
    CHECK(told(through({"gate"}) + behind) == "payment_required 402");
    CHECK(told(through({"plain", "gate"}) + behind) == "payment_required 402");
    CHECK(told(through({"chain"}) + behind) == "payment_required 402");
    CHECK(told(through({"plain"}) + behind) == "gateway 0 unpaid");
    CHECK(told(through({"gate", "nobody"}) + behind) == "gateway 404");
    CHECK(told(through({"torn"}) + behind) == "gateway 404");
    CHECK(told(through({"ring"}) + behind) == "gateway 404");
    CHECK(told(through({"nobody"}, redirect)) == "gateway 404");
    CHECK(told(through({"gate"}, redirect)) == "payment_required 402");
    CHECK(told(through({"gate"}, R"({"type":"URLRewrite","urlRewrite":{}})") + behind) == "gateway 500");
    CHECK(told(through({"gate"})) == "payment_required 402");
}

TEST_CASE("a gate is the operator's verifier, as far as he is known", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    w.route("strange", "/services/web", through({"strange"}) + "," + to("web"));
    const auto assumed = w.run({"explain", "/services/web"});
    CHECK(assumed.out.find("402, and 0.01 USDC") != std::string::npos);
    CHECK(
        assumed.out.find(
            "asks http://elsewhere.example/verify/shop/web, which is taken for the operator's verifier"
        ) != std::string::npos
    );
    w.create(
        api::config_map_resource,
        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"portitor","name":"portitor-config"},)"
        R"("data":{"portitor.yaml":"default-facilitator: https://www.x402.org/facilitator\n"}})"
    );
    const auto known = w.run({"explain", "/services/web"});
    INFO(known.err);
    CHECK(known.out.find("passes WITHOUT payment") != std::string::npos);
    CHECK(known.out.find("it counts as no gate") != std::string::npos);
}

TEST_CASE("what comes behind the gate is told too", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    w.route("own", "/services/web", through({"gate"}) + "," + to("nobody"));
    CHECK(w.verdict("/services/web/a") == "payment_required 402");
    CHECK(w.verdict("/services/web/free") == "free 500");
    const auto text = w.run({"explain", "/services/web/a"});
    CHECK(text.out.find("for a request that has paid the gateway answers 500") != std::string::npos);
    CHECK(text.code == 0);
}

TEST_CASE("a credential's value is not seen from here, and that is said", "[cli][explain]")
{
    gateway_world w;
    w.sell(R"(,"credential":"upstream")");
    w.route("own", "/services/web", through({"secretive"}) + "," + to("web"));
    const auto told = w.run({"explain", "/services/web/a"});
    CHECK(told.out.find("402, and 0.01 USDC") != std::string::npos);
    CHECK(
        told.out.find("as long as the verifier has no value of the credential upstream, it answers 503") !=
        std::string::npos
    );
}

TEST_CASE("the gate refuses where its Middleware shows no token for the credential", "[cli][explain]")
{
    gateway_world w;
    w.sell(R"(,"credential":"upstream")");
    w.route("own", "/services/web", through({"gate"}) + "," + to("web"));
    CHECK(w.verdict("/services/web/a") == "wrong_token 403");
    CHECK(w.verdict("/services/web/free") == "wrong_token 403");
    w.route("own", "/services/web", through({"secretive"}) + "," + to("web"));
    CHECK(w.verdict("/services/web/a") == "payment_required 402");
    const auto told = w.run({"explain", "/services/web/a", "-o", "json"});
    CHECK(told.out.find("t0ken") == std::string::npos);
}

TEST_CASE("a preflight that the gateway answers before the gate is told", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    w.add_middleware("cors", R"({"headers":{"accessControlAllowOriginList":["https://shop.example"]}})");
    w.add_middleware("others", R"({"headers":{"customRequestHeaders":{"X-A":"b"}}})");
    const std::string answers = "answered by the gateway itself (Middleware shop/cors)";
    const auto told = [&](std::initializer_list<const char*> through_these, const char* method) {
        w.route("own", "/services/web", through(through_these) + "," + to("web"));
        return w.run({"explain", "/services/web", "-X", method}).out;
    };
    const std::string preflight = told({"cors", "others", "gate"}, "OPTIONS");
    CHECK(preflight.find("402, and 0.01 USDC") != std::string::npos);
    CHECK(preflight.find(answers) != std::string::npos);
    CHECK(preflight.find("is not looked at") == std::string::npos);
    CHECK(told({"cors", "gate"}, "GET").find(answers) == std::string::npos);
    CHECK(told({"gate", "cors"}, "OPTIONS").find(answers) == std::string::npos);
    CHECK(told({"others", "gate"}, "OPTIONS").find("preflight") == std::string::npos);
}

TEST_CASE("an object that cannot be taken into account is named", "[cli][explain]")
{
    gateway_world w;
    w.sell(R"(,"network":"eip155:999999")");
    const auto told = w.run({"explain", "/nothing"});
    CHECK(
        told.err.find("portitor: left out: PaymentRoute shop/web-payment: spec.network: ") !=
        std::string::npos
    );
}

TEST_CASE("who asks for a place and is not sold is told with his own reason", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    const auto told = [&] { return w.run({"explain", "/services/web/a"}).out; };
    const auto has = [&](const std::string& words) {
        // Lines are broken.
        return std::regex_replace(told(), std::regex("\\s+"), " ").find(words) != std::string::npos;
    };
    const std::string asks = "the ServiceOffer shop/web asks for this place, and ";
    CHECK(has(asks + "the controller has not looked at it: is it running?"));
    const auto report = [&](const std::string& published, const std::string& reason) {
        const auto condition = [](const std::string& type, const std::string& why) {
            return fmt::format(
                R"({{"type":"{}","status":"False","reason":"{}","message":"words of {}","observedGeneration":1,)"
                R"("lastTransitionTime":"2026-11-24T20:00:00Z"}})",
                type,
                why,
                type
            );
        };
        w.report(
            api::service_offer_resource,
            "web",
            fmt::format(
                R"({{"conditions":[{},{}]}})",
                condition("RoutePublished", published),
                condition("Ready", reason)
            )
        );
    };
    for (const char* reason :
         {"WrongChecksum", "TimeoutTooShort", "NetworkNotServed", "ExternalNameUpstream", "NotSold"})
    {
        CAPTURE(reason);
        report("Withheld", reason);
        CHECK(has(asks + "is not sold (" + reason + "): words of Ready"));
    }
    for (const char* reason : {"HostNotAllowed", "TooManyOffers", "NotSelected", "PathConflict"})
    {
        CAPTURE(reason);
        report(reason, reason);
        CHECK(has(asks + "is not sold (" + reason + "): words of Ready"));
    }
    // Published, and others answer.
    w.route("grab", "/services/web", to("web"));
    report("ForeignRoute", "ForeignRoute");
    CHECK(has("passes WITHOUT payment"));
    CHECK(has(asks + "is not sold (ForeignRoute): words of Ready"));
    w.patch(
        api::service_offer_resource,
        "web",
        R"([{"op":"add","path":"/metadata/finalizers","value":["monetize.obol.org/finalizer"]}])"
    );
    CHECK(has("the predecessor's controller holds the ServiceOffer shop/web (monetize.obol.org/finalizer)"));
    CHECK_FALSE(has(asks));
}

TEST_CASE("what an offer is sold without is told", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    w.route("own", "/services/web", through({"gate"}) + "," + to("web"));
    w.report(
        api::service_offer_resource,
        "web",
        R"({"conditions":[{"type":"NotSupported","status":"True","reason":"Ignored","message":"spec.listing: no",)"
        R"("observedGeneration":1,"lastTransitionTime":"2026-11-24T20:00:00Z"}]})"
    );
    CHECK(
        w.run({"explain", "/services/web/a"}).out.find("NotSupported (Ignored): spec.listing: no") !=
        std::string::npos
    );
}
