#include "catch.hpp"
#include "cli/explain/gateway_match.hpp"
#include "command_world.hpp"

#include <portitor/api/resources.hpp>

using namespace portitor;
using namespace portitor::cli;
using namespace portitor::cli::explain;
using portitor::cli::samples::command_world;

namespace {

namespace json = boost::json;

kube::object_ptr route(const std::string& name, const std::string& match, const std::string& host = {})
{
    const std::string hosts = host.empty() ? "" : R"("hostnames":[")" + host + R"("],)";
    const std::string text =
        R"({"metadata":{"namespace":"team","name":")" + name + R"(","uid":"1"},"spec":{"parentRefs":[)" +
        R"({"namespace":"traefik","name":"traefik-gateway"}],)" + hosts + R"("rules":[{"matches":[)" + match +
        R"(],"backendRefs":[{"name":"web","port":80}]}]},"status":{"parents":[{"parentRef":)" +
        R"({"namespace":"traefik","name":"traefik-gateway"},"controllerName":"traefik.io/gateway-controller",)" +
        R"("conditions":[{"type":"Accepted","status":"True","reason":"Accepted"}]}]}})";
    return kube::parse_object(json::parse(text).as_object()).value();
}

std::string prefix(const std::string& path, const std::string& more = {})
{
    return R"({"path":{"type":"PathPrefix","value":")" + path + R"("})" + more + "}";
}

std::string winner(
    const std::vector<kube::object_ptr>& routes, const std::string& url, const std::string& controller = {}
)
{
    offer::plan_settings settings;
    settings.gateway.gateway = {"traefik", "traefik-gateway"};
    settings.gateway.controller = controller.empty() ? "traefik.io/gateway-controller" : controller;
    for (const candidate& each : find_candidates(routes, read_target(url).value(), settings))
    {
        if (each.applies())
            return each.route.name;
    }
    return {};
}

}  // namespace

TEST_CASE("a request may be written as a URL, as host and path, or as a path", "[cli][explain]")
{
    const auto whole = read_target("https://user@api.example.com:8443/a/b?c=/d#e");
    REQUIRE(whole.has_value());
    CHECK(whole->scheme == "https");
    CHECK(whole->host == "api.example.com:8443");
    CHECK(whole->path == "/a/b");
    CHECK(whole->query == "c=/d");
    CHECK(read_target("api.example.com/x")->host == "api.example.com");
    CHECK(read_target("/x//y")->path == "/x//y");
    CHECK(read_target("http://h")->path == "/");
    CHECK(read_target("/a?u=http://b/c")->query == "u=http://b/c");
    for (const char* wrong : {"", "nonsense", "ftp://host/x", "https:///x", "services/hello"})
        CHECK_FALSE(read_target(wrong).has_value());
}

TEST_CASE("paths are read as Traefik passes them on", "[cli][explain]")
{
    const std::pair<const char*, const char*> rows[] = {
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/../a", "/a"},
        {"//a//b/", "/a/b/"},
        {"/a/..", "/"},
        {"/a/.", "/a/"},
        {"/%61%2e%2E/b", "/a../b"},
        {"/a/%2e%2e/b", "/b"},
        {"/a%2fb", "/a%2Fb"},
        {"/a b/\xc3\xbc", "/a%20b/%C3%BC"},
        {"/", "/"},
        // What does not belong into a URL has all of it written anew, from what the escapes stand for.
        {"/a/b^c/d%2fe", "/a/b%5Ec/d/e"},
        {"/a/\xc3\xbc/..%2Fb%25c", "/a/b%25c"},
        {"/(a)!/\xc3\xbc", "/%28a%29%21/%C3%BC"},
        {"/(a)!/b%2fc%21", "/(a)!/b%2Fc%21"},
        {"/a b/c%2Fd", "/a%20b/c%2Fd"},
    };
    for (const auto& [sent, forwarded] : rows)
    {
        INFO(sent);
        const auto read = as_gateway_forwards(sent);
        REQUIRE(read.has_value());
        CHECK(*read == forwarded);
    }
    for (const char* broken : {"/%", "/a%2", "/%zz", "/%2"})
        CHECK_FALSE(as_gateway_forwards(broken).has_value());
}

TEST_CASE("the gateway's own order decides between routes", "[cli][explain]")
{
    const auto narrow = route("narrow", prefix("/a/b"));
    const auto wide = route("wide", prefix("/a"));
    const auto exact = route("exact", R"({"path":{"type":"Exact","value":"/a/b"}})");
    CHECK(winner({wide, narrow}, "http://h.example/a/b/c") == "narrow");
    CHECK(winner({wide, narrow, exact}, "http://h.example/a/b") == "exact");
    CHECK(winner({wide, narrow}, "http://h.example/ab").empty());
    // Traefik: a method weighs as much as ten characters of the path.
    const auto by_method = route("by-method", prefix("/a", R"(,"method":"GET")"));
    CHECK(winner({narrow, by_method}, "http://h.example/a/b") == "by-method");
    // The prefix "/" stays behind every other path, whatever else it asks for.
    const auto all_get = route("all-get", prefix("/", R"(,"method":"GET")"));
    CHECK(winner({wide, all_get}, "http://h.example/a") == "wide");
    CHECK(winner({wide, all_get}, "http://h.example/b") == "all-get");
    // The Gateway API: the host name comes first; Traefik counts its length only.
    const auto hosted = route("hosted", prefix("/"), "h.example");
    CHECK(winner({wide, hosted}, "http://h.example/a") == "wide");
    CHECK(winner({wide, hosted}, "http://h.example/a", "example.com/other") == "hosted");
    CHECK(winner({hosted}, "http://other.example/a").empty());
    CHECK(winner({route("below", prefix("/"), "*.example")}, "http://H.example:80/a") == "below");
}

TEST_CASE("what cannot be known of a request is said, and not taken", "[cli][explain]")
{
    offer::plan_settings settings;
    settings.gateway.gateway = {"traefik", "traefik-gateway"};
    const auto by_header = route("by-header", prefix("/a", R"(,"headers":[{"name":"x","value":"1"}])"));
    const auto found = find_candidates({by_header}, *read_target("http://h.example/a"), settings);
    REQUIRE(found.size() == 1);
    CHECK(found[0].only_if == "the request has header x=1");
    CHECK_FALSE(found[0].applies());
}

TEST_CASE("explain needs something to explain", "[cli][explain]")
{
    command_world w;
    const auto nothing = w.run({"explain"});
    CHECK(nothing.code == 2);
    CHECK(nothing.err.find("name a URL or a path") != std::string::npos);
    CHECK(w.run({"explain", "/x", "-o", "xml"}).code == 2);
    const auto nowhere = w.run({"explain", "/services/hello"});
    CHECK(nowhere.code == 1);
    CHECK(nowhere.out.find("no HTTPRoute of the Gateway takes it") != std::string::npos);
}

TEST_CASE("a suspended route, and one that nobody serves, are told as the verifier would", "[cli][explain]")
{
    command_world w;
    const auto offer = w.create(
        api::service_offer_resource,
        R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"web"},)"
        R"("spec":{"upstream":{"service":"web","port":80},"payment":{"network":"base-sepolia",)"
        R"("payTo":"0x00000000000000000000000000000000000000aB","price":{"perRequest":"0.01"}}}})"
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
            R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e","facilitatorURL":"https://x402.org/facilitator",)"
            R"("payTo":"0x00000000000000000000000000000000000000aB"}})"
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
            R"({"parents":[{"parentRef":{"name":"traefik-gateway","namespace":"traefik"},"controllerName":"c",)"
            R"("conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"",)"
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
