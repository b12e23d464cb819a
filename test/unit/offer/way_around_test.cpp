#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/reference_grant.hpp"
#include "offer/way_around.hpp"
#include "offer_world.hpp"

#include <portitor/api/service_offer.hpp>

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::object_from;
using test::world;

namespace {

// The offer shop/hello sells web:8080 of shop at /services/hello.
struct fixture
{
    world all;
    std::map<kube::object_key, kube::object_ptr> middlewares;

    std::string look(const kube::object_ptr& route) const
    {
        const auto find = [this](const kube::object_key& key) {
            const auto at = middlewares.find(key);
            return at == middlewares.end() ? nullptr : at->second;
        };
        return find_way_around(*route, api::parse_service_offer(*all.offer).value(), all.settings, find);
    }

    void add_middleware(const std::string& name, const std::string& spec)
    {
        middlewares[{"shop", name}] = object_from(
            R"({"metadata": {"name": ")" + name + R"(", "namespace": "shop"}, "spec": )" + spec + "}"
        );
    }
};

// A route from everywhere on the gateway to the offer's Service.
kube::object_ptr wide()
{
    return object_from(R"({
        "metadata": {"name": "wide", "namespace": "shop"},
        "spec": {
            "parentRefs": [{"namespace": "traefik", "name": "traefik-gateway"}],
            "rules": [
                {"matches": [{"path": {"type": "PathPrefix", "value": "/elsewhere"}}],
                 "backendRefs": [{"name": "web", "port": 8080}]},
                {"matches": [{"path": {"type": "Exact", "value": "/"}}, {"path": {"type": "PathPrefix", "value": "/"}}],
                 "backendRefs": [{"name": "other", "port": 8080}, {"name": "web", "port": 8080}]}
            ]
        }
    })");
}

kube::object_ptr with_rule(const std::string& rule)
{
    return changed(wide(), "/spec/rules", "[" + rule + "]");
}

std::string rule(const std::string& more, const std::string& backend = R"({"name": "web", "port": 8080})")
{
    return R"({"backendRefs": [)" + backend + "]" + (more.empty() ? "" : ", ") + more + "}";
}

std::string path(const std::string& type, const std::string& value)
{
    return R"("matches": [{"path": {"type": ")" + type + R"(", "value": ")" + value + R"("}}])";
}

std::string through(const std::string& middleware)
{
    return R"("filters": [{"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": ")" +
           middleware + R"("}}])";
}

}  // namespace

TEST_CASE("a route to the offer's Service without payment is named with its rule", "[controller][conflicts]")
{
    CHECK(fixture().look(wide()) == "HTTPRoute shop/wide, spec.rules[1] (PathPrefix /)");
}

TEST_CASE("which rules lead around the gate", "[controller][conflicts]")
{
    struct row
    {
        std::string rule;
        bool leads;
    };
    const auto each = GENERATE(values<row>({
        {rule(""), true},
        {rule(R"("matches": [{"headers": [{"name": "X", "value": "1"}]}])"), true},
        {rule(path("PathPrefix", "/services")), true},
        {rule(path("PathPrefix", "/services/")), true},
        {rule(path("PathPrefix", "/Services/HELLO")), true},
        {rule(path("PathPrefix", "/services/hello/free")), true},
        {rule(path("PathPrefix", "/services/hell")), false},
        {rule(path("PathPrefix", "/other")), false},
        {rule(path("Exact", "/services/hello/free")), true},
        {rule(path("Exact", "/services/hello")), true},
        {rule(path("Exact", "/services")), false},
        {rule(path("RegularExpression", "/whatever")), true},
        // Other backends.
        {rule("", R"({"name": "web", "port": 9090})"), false},
        {rule("", R"({"name": "else", "port": 8080})"), false},
        {rule("", R"({"name": "web", "port": 8080, "namespace": "other"})"), false},
        {rule("", R"({"name": "web", "port": 8080, "namespace": "shop"})"), true},
        {rule("", R"({"name": "web", "port": 8080, "group": "", "kind": "Service"})"), true},
        {rule("", R"({"name": "web", "port": 8080, "group": "traefik.io", "kind": "TraefikService"})"),
         false},
        {rule("", R"({"name": "web", "port": 8080, "weight": 0})"), false},
        // Filters.
        {rule(through("ours")), false},
        {rule(through("by-hand")), false},
        {rule(through("gone")), false},
        {rule(through("headers")), true},
        {rule(through("elsewhere")), true},
        {rule(through("lookalike")), true},
        {rule(R"("filters": [{"type": "URLRewrite", "urlRewrite": {}}])"), true},
        {"7", false},
    }));
    CAPTURE(each.rule);
    fixture f;
    f.add_middleware(
        "ours",
        R"({"forwardAuth": {"address": "http://portitor-verifier.portitor.svc:8080/verify/shop/hello"}})"
    );
    f.add_middleware(
        "by-hand", R"({"forwardAuth": {"address": "http://portitor-verifier.portitor.svc:8080/verify"}})"
    );
    f.add_middleware("headers", R"({"headers": {}})");
    f.add_middleware("elsewhere", R"({"forwardAuth": {"address": "http://evil.example/verify"}})");
    f.add_middleware(
        "lookalike", R"({"forwardAuth": {"address": "http://portitor-verifier.portitor.svc:8080/verifyx"}})"
    );
    CHECK(f.look(with_rule(each.rule)).empty() != each.leads);
}

TEST_CASE("only what the Gateway serves to the offer's host leads around the gate", "[controller][conflicts]")
{
    struct row
    {
        std::string pointer;
        std::string value;
        std::string host;
        bool leads;
    };
    const std::string gateway = R"("namespace": "traefik", "name": "traefik-gateway")";
    const auto each = GENERATE_COPY(values<row>({
        {"/spec/parentRefs", "[]", "", false},
        {"/spec/parentRefs", R"([{"name": "traefik-gateway"}])", "", false},
        {"/spec/parentRefs", R"([{"namespace": "traefik", "name": "other"}])", "", false},
        {"/spec/parentRefs", "[{" + gateway + R"(, "kind": "Service", "group": ""}])", "", false},
        {"/spec/parentRefs", "[{" + gateway + R"(, "kind": "Gateway"}])", "", true},
        {"/spec/parentRefs", "[{" + gateway + R"(, "sectionName": "web"}])", "", true},
        {"/spec/hostnames", R"(["a.example.com"])", "", true},
        {"/spec/hostnames", R"(["a.example.com"])", "a.example.com", true},
        {"/spec/hostnames", R"(["A.Example.com"])", "a.example.com", true},
        {"/spec/hostnames", R"(["*.example.com"])", "a.example.com", true},
        {"/spec/hostnames", R"(["*.example.com"])", "example.com", false},
        {"/spec/hostnames", R"(["b.example.com", "*.org"])", "a.example.com", false},
        {"/spec/hostnames", "[]", "a.example.com", true},
    }));
    CAPTURE(each.value, each.host);
    fixture f;
    if (!each.host.empty())
        f.all.edit("/spec/hostname", '"' + each.host + '"');
    CHECK(f.look(changed(wide(), each.pointer, each.value)).empty() != each.leads);
}

TEST_CASE(
    "where the operator named a listener, routes of another one do not count", "[controller][conflicts]"
)
{
    fixture f;
    f.all.settings.gateway.section = "web";
    const auto at = [](const std::string& section) {
        return changed(
            wide(),
            "/spec/parentRefs",
            R"([{"namespace": "traefik", "name": "traefik-gateway", "sectionName": ")" + section + R"("}])"
        );
    };
    CHECK_FALSE(f.look(wide()).empty());
    CHECK_FALSE(f.look(at("web")).empty());
    CHECK(f.look(at("internal")).empty());
}

TEST_CASE("Portitor's own routes lead nowhere without payment", "[controller][conflicts]")
{
    fixture f;
    f.all.sell();
    const kube::object_ptr own = f.all.seen.http_route;
    CHECK(open_backends(*own).empty());
    CHECK(deciding_middlewares(*own).empty());
    CHECK(f.look(own).empty());
    // The same without its gate, or under another name.
    const auto stripped = [](const kube::object_ptr& route) {
        auto raw = route->raw;
        raw["spec"].as_object()["rules"].as_array()[0].as_object().erase("filters");
        return kube::parse_object(raw).value();
    };
    CHECK(open_backends(*stripped(own)) == std::vector<std::string>{"shop/web"});
    CHECK_FALSE(f.look(stripped(own)).empty());
    const auto renamed = changed(own, "/metadata/name", "\"mine\"");
    CHECK(open_backends(*renamed) == std::vector<std::string>{"shop/web"});
    CHECK(deciding_middlewares(*renamed) == std::vector<std::string>{"shop/x402-hello"});
}

TEST_CASE("an offer with a way around its gate is withheld until that is gone", "[controller][conflicts]")
{
    world all;
    all.sell();
    all.seen.way_around = "HTTPRoute shop/wide, spec.rules[1] (PathPrefix /)";
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/UnpaidRoute");
    CHECK_THAT(
        all.condition("RoutePublished").message,
        Contains(
            "HTTPRoute shop/wide, spec.rules[1] (PathPrefix /) leads to Service web of shop without payment"
        )
    );
    CHECK(all.verdict("Ready") == "False/UnpaidRoute");
    CHECK_FALSE(all.seen.http_route);
    all.seen.way_around.clear();
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("an open gate that another route explains is forgotten with that route", "[controller][conflicts]")
{
    world all;
    all.sell();
    all.seen.way_around = "HTTPRoute shop/wide, spec.rules[0] (PathPrefix /)";
    all.seen.proof.said = gate_proof::verdict::open;
    const plan next = all.step();
    CHECK(all.verdict("RoutePublished") == "False/UnpaidRoute");
    CHECK_FALSE(next.ask.keep_gate_answer);
    CHECK_FALSE(next.ask.gate);
}

TEST_CASE("a gate that was seen open stays so told, other routes or not", "[controller][conflicts]")
{
    world all;
    all.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    all.sell();
    all.seen.proof.said = gate_proof::verdict::open;
    all.step();
    CHECK(all.verdict("RoutePublished") == "False/GateOpen");
    all.seen.proof = {};
    all.seen.way_around = "HTTPRoute shop/wide, spec.rules[0] (PathPrefix /)";
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/GateOpen");
}

TEST_CASE("an upstream of another namespace needs that namespace's word", "[controller][conflicts]")
{
    world all;
    all.edit("/spec/upstream/namespace", "\"backends\"");
    all.seen.upstream_granted = true;
    const plan first = all.step();
    CHECK(first.ask.upstream == "http://web.backends.svc:8080/health");
    const auto& backend = all.seen.http_route->spec().at("rules").at(0).at("backendRefs").at(0).as_object();
    CHECK(kube::string_at(backend, "namespace") == "backends");
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
    CHECK(all.look().empty());

    all.seen.upstream_granted = false;
    const plan next = all.step();
    CHECK_FALSE(next.ask.upstream);
    all.settle();
    CHECK(all.verdict("UpstreamHealthy") == "False/CrossNamespaceUpstream");
    CHECK_THAT(
        all.condition("UpstreamHealthy").message,
        Contains(
            "ReferenceGrant made in backends, from HTTPRoute (gateway.networking.k8s.io) of namespace shop"
        )
    );
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(all.seen.payment_route);
}

TEST_CASE("what a ReferenceGrant permits", "[controller][conflicts]")
{
    struct row
    {
        std::string spec;
        bool permits;
    };
    const std::string from =
        R"({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"})";
    const std::string to = R"({"group": "", "kind": "Service"})";
    const auto spec = [](const std::string& froms, const std::string& tos) {
        return R"({"from": [)" + froms + R"(], "to": [)" + tos + "]}";
    };
    const auto each = GENERATE_COPY(values<row>({
        {spec(from, to), true},
        {spec(from, R"({"group": "", "kind": "Service", "name": "web"})"), true},
        {spec(
             from,
             R"({"group": "", "kind": "Service", "name": "db"}, {"group": "", "kind": "Service", "name": "web"})"
         ),
         true},
        {spec(from, R"({"group": "", "kind": "Service", "name": "db"})"), false},
        {spec(from, R"({"group": "", "kind": "Secret"})"), false},
        {spec(from, R"({"group": "apps", "kind": "Service"})"), false},
        {spec(R"({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "other"})", to),
         false},
        {spec(R"({"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "namespace": "shop"})", to),
         false},
        {spec(R"({"group": "", "kind": "HTTPRoute", "namespace": "shop"})", to), false},
        {spec("7, " + from, "7, " + to), true},
        {spec("", to), false},
        {R"({"from": 7, "to": 7})", false},
        {"{}", false},
    }));
    CAPTURE(each.spec);
    const auto grant =
        object_from(R"({"metadata": {"name": "g", "namespace": "backends"}, "spec": )" + each.spec + "}");
    CHECK(permits(*grant, "shop", "web") == each.permits);
}
