#include "../api/objects.hpp"
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

constexpr const char* parent = R"({"namespace":"traefik","name":"traefik-gateway"})";

/// An HTTPRoute of the Gateway that its controller accepts, with this text in place of its rules.
kube::object_ptr route_with(
    const std::string& name,
    const std::string& rules,
    const std::string& hosts = {},
    const std::string& parent_ref = parent,
    const std::string& status = "True"
)
{
    const std::string named = hosts.empty() ? "" : R"("hostnames":[)" + hosts + "],";
    const std::string text =
        R"({"metadata":{"namespace":"team","generation":2,"name":")" + name +
        R"(","uid":"1"},"spec":{"parentRefs":[)" + parent_ref + "]," + named + R"("rules":[)" + rules +
        R"(]},"status":{"parents":[{"parentRef":)" + parent_ref +
        R"(,"controllerName":"other.example/controller","conditions":[{"type":"Accepted","status":"False",)" +
        R"("observedGeneration":2,"reason":"Nonsense"}]},{"parentRef":)" + parent_ref +
        R"(,"controllerName":"traefik.io/gateway-controller","conditions":[{"type":"Accepted","status":")" +
        status + R"(","observedGeneration":2,"reason":"Accepted"}]},{"parentRef":)" + parent_ref +
        R"(,"controllerName":"example.com/other","conditions":[{"type":"Accepted","status":"True",)" +
        R"("observedGeneration":2,"reason":"Accepted"}]}]}})";
    return kube::parse_object(json::parse(text).as_object()).value();
}

kube::object_ptr route(const std::string& name, const std::string& match, const std::string& host = {})
{
    return route_with(
        name,
        R"({"matches":[)" + match + R"(],"backendRefs":[{"name":"web","port":80}]})",
        host.empty() ? "" : '"' + host + '"'
    );
}

std::string prefix(const std::string& path, const std::string& more = {})
{
    return R"({"path":{"type":"PathPrefix","value":")" + path + R"("})" + more + "}";
}

offer::plan_settings settings_of(const std::string& controller = {})
{
    offer::plan_settings out;
    out.gateway.gateway = {"traefik", "traefik-gateway"};
    out.gateway.controller = controller.empty() ? "traefik.io/gateway-controller" : controller;
    return out;
}

std::vector<candidate> candidates(
    const std::vector<kube::object_ptr>& routes,
    const std::string& url,
    const kube::object_ptr& gateway = nullptr,
    const std::string& controller = {}
)
{
    seen_kind all;
    for (const kube::object_ptr& each : routes)
        all.objects.emplace(each->meta.key(), each);
    const auto settings = settings_of(controller);
    const auto request = read_target(url).value();
    return find_candidates(all, request, find_arrival(gateway, request, settings), settings);
}

std::string winner(
    const std::vector<kube::object_ptr>& routes,
    const std::string& url,
    const std::string& controller = {},
    const kube::object_ptr& gateway = nullptr
)
{
    for (const candidate& each : candidates(routes, url, gateway, controller))
    {
        if (each.applies())
            return each.route.name;
    }
    return {};
}

/// The Gateway with these listeners.
kube::object_ptr gateway_with(const std::string& listeners, const std::string& status = {})
{
    return kube::parse_object(json::parse(
                                  R"({"metadata":{"namespace":"traefik","name":"traefik-gateway","uid":"g",)"
                                  R"("generation":1},"spec":{"listeners":[)" +
                                  listeners + R"(]},"status":{"listeners":[)" + status + "]}}"
    )
                                  .as_object())
        .value();
}

std::string listener_of(const std::string& name, const std::string& protocol, int port, const std::string& more = {})
{
    return fmt::format(
        R"({{"name":"{}","protocol":"{}","port":{},"allowedRoutes":{{"namespaces":{{"from":"All"}}}}{}}})",
        name,
        protocol,
        port,
        more
    );
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

TEST_CASE("Traefik counts the longest host name of the route, and earlier rules above later ones", "[cli][explain]")
{
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    const auto one_host = route_with("one-host", all, R"("h.example.com")");
    const auto more_hosts = route_with("z-more-hosts", all, R"("h.example.com","much.longer.example.com")");
    CHECK(winner({one_host, more_hosts}, "http://h.example.com/a") == "z-more-hosts");
    CHECK(winner({one_host, more_hosts}, "http://h.example.com/a", "example.com/other") == "one-host");
    const auto more_rules = route_with(
        "z-more-rules", all + R"(,{"matches":[)" + prefix("/b") + R"(]},{"matches":[)" + prefix("/c") + "]}",
        R"("h.example.com")"
    );
    CHECK(winner({one_host, more_rules}, "http://h.example.com/a") == "z-more-rules");
    const auto by_priority = candidates({one_host, more_rules}, "http://h.example.com/a");
    REQUIRE(by_priority.size() == 2);
    CHECK(by_priority[0].priority == 10'000 + 200 + 13 + 3);
    CHECK(by_priority[1].priority == 10'000 + 200 + 13 + 1);
    // The Gateway API: a method never beats one more character of the path.
    const auto by_method = route("by-method", prefix("/a", R"(,"method":"GET")"));
    CHECK(winner({by_method, route("narrow", prefix("/a/b"))}, "http://h/a/b", "example.com/other") == "narrow");
}

TEST_CASE("a route counts where the request's listener has it", "[cli][explain]")
{
    const std::string both = listener_of("web", "HTTP", 8000) + "," + listener_of("tls", "HTTPS", 8443);
    const auto gateway = gateway_with(both);
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    const auto by_section = [&](const std::string& section) {
        return route_with(
            section, all, "", R"({"namespace":"traefik","name":"traefik-gateway","sectionName":")" + section + "\"}"
        );
    };
    const std::vector<kube::object_ptr> routes{by_section("web"), by_section("tls")};
    CHECK(winner(routes, "http://h.example/a", "", gateway) == "web");
    CHECK(winner(routes, "https://h.example/a", "", gateway) == "tls");
    CHECK(winner(routes, "https://h.example:8443/a", "", gateway) == "tls");
    CHECK(winner({routes[0]}, "https://h.example/a", "", gateway).empty());
    CHECK(candidates({routes[0]}, "https://h.example/a", gateway)[0].not_served ==
          "no listener that it is attached to takes this request");
    const auto by_port =
        route_with("by-port", all, "", R"({"namespace":"traefik","name":"traefik-gateway","port":8443})");
    CHECK(winner({by_port}, "http://h.example/a", "", gateway).empty());
    CHECK(winner({by_port}, "https://h.example/a", "", gateway) == "by-port");
    // TLS may end in front of the gateway.
    const auto plain = gateway_with(listener_of("web", "HTTP", 8000));
    CHECK(winner({routes[0]}, "https://h.example/a", "", plain) == "web");
    CHECK(find_arrival(plain, *read_target("https://h/a"), settings_of()).scheme == "http");
    CHECK(find_arrival(gateway_with(listener_of("tls", "HTTPS", 443)), *read_target("http://h/a"), settings_of())
              .at.empty());
}

TEST_CASE("a listener's own host, rights and health decide beside the route", "[cli][explain]")
{
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    const auto open = route_with("open", all);
    const auto named = gateway_with(listener_of("web", "HTTP", 80, R"(,"hostname":"*.example.com")"));
    CHECK(winner({open}, "http://a.example.com/a", "", named) == "open");
    CHECK(winner({open}, "http://a.example.org/a", "", named).empty());
    CHECK(candidates({open}, "http://a.example.com/a", named)[0].priority == 10'000 + 200 + 13 + 1);
    const auto same = gateway_with(R"({"name":"web","protocol":"HTTP","port":80})");
    CHECK(candidates({open}, "http://h/a", same)[0].not_served ==
          "the Gateway's listener web lets no routes of namespace team in");
    const auto broken = gateway_with(
        listener_of("web", "HTTP", 80),
        R"({"name":"web","conditions":[{"type":"Accepted","status":"False","reason":"PortUnavailable",)"
        R"("observedGeneration":1}]})"
    );
    CHECK(candidates({open}, "http://h/a", broken)[0].not_served ==
          "the Gateway's listener web is not served: PortUnavailable");
    // Which namespaces a selector takes is known where the route can be accepted by that listener only.
    const std::string selected =
        R"({"name":"web","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"Selector"}}})";
    CHECK(winner({open}, "http://h/a", "", gateway_with(selected)) == "open");
    const auto two = gateway_with(selected + "," + listener_of("tls", "HTTPS", 443));
    CHECK(candidates({open}, "http://h/a", two)[0].only_if ==
          "the Gateway's listener web selects the namespace team");
}

TEST_CASE("of several words on a route that of the Gateway's controller on this form of it counts", "[cli][explain]")
{
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    CHECK(winner({route_with("yes", all)}, "http://h/a") == "yes");
    CHECK(winner({route_with("no", all, "", parent, "False")}, "http://h/a").empty());
    const auto stale = test::changed(route_with("stale", all), "/metadata/generation", "3");
    CHECK(candidates({stale}, "http://h/a")[0].not_served == "the Gateway has not judged its present form yet");
    // One parentRef is accepted, the other is not.
    const std::string web = R"({"namespace":"traefik","name":"traefik-gateway","sectionName":"web"})";
    const std::string tls = R"({"namespace":"traefik","name":"traefik-gateway","sectionName":"tls"})";
    const auto said = [](const std::string& ref, const char* status) {
        return R"({"parentRef":)" + ref + R"(,"controllerName":"traefik.io/gateway-controller","conditions":)" +
               R"([{"type":"Accepted","status":")" + status + R"(","observedGeneration":2,"reason":"R"}]})";
    };
    const auto mixed = test::changed(
        test::changed(route_with("mixed", all), "/spec/parentRefs", "[" + web + "," + tls + "]"),
        "/status/parents",
        "[" + said(web, "False") + "," + said(tls, "True") + "]"
    );
    const auto gateway =
        gateway_with(listener_of("web", "HTTP", 80) + "," + listener_of("tls", "HTTPS", 443));
    CHECK(winner({mixed}, "http://h/a", "", gateway).empty());
    CHECK(winner({mixed}, "https://h/a", "", gateway) == "mixed");
}

TEST_CASE("what cannot be known of a request is said, and not taken", "[cli][explain]")
{
    const auto by_header = route("by-header", prefix("/a", R"(,"headers":[{"name":"x","value":"1"}])"));
    const auto found = candidates({by_header}, "http://h.example/a");
    REQUIRE(found.size() == 1);
    CHECK(found[0].only_if == "the request has header x=1");
    CHECK_FALSE(found[0].applies());
    // The query is known.
    const auto by_query = route("by-query", prefix("/a", R"(,"queryParams":[{"name":"q","value":"x y"}])"));
    CHECK(winner({by_query}, "http://h/a?b=1&q=x+y") == "by-query");
    CHECK(winner({by_query}, "http://h/a?q=x%20y") == "by-query");
    CHECK(winner({by_query}, "http://h/a?q=x").empty());
    CHECK(winner({by_query}, "http://h/a?q=x+y;c").empty());
}

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

namespace {

/// A cluster with one offer that is sold, the Gateway, and HTTPRoutes of a test's own.
struct gateway_world : command_world
{
    gateway_world()
    {
        create(
            kube::resource{"gateway.networking.k8s.io", "v1", "gateways", "Gateway"},
            R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"namespace":"traefik",)"
            R"("name":"traefik-gateway"},"spec":{"gatewayClassName":"traefik","listeners":[)" +
                listener_of("web", "HTTP", 8000) + "]}}"
        );
        create(
            api::service_resource,
            R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"ports":[{"port":80}]}})"
        );
        create(
            api::endpoint_slice_resource,
            R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"namespace":"shop",)"
            R"("name":"web","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4",)"
            R"("ports":[{"name":"","port":80}],"endpoints":[{"addresses":["10.0.0.1"],)"
            R"("conditions":{"ready":true}}]})"
        );
        add_middleware("plain", R"({"headers":{}})");
        add_middleware("gate", gate_at("http://portitor-verifier.portitor.svc:8080/verify/shop/web"));
        add_middleware("strange", gate_at("http://elsewhere.example/verify/shop/web"));
        add_middleware("chain", R"({"chain":{"middlewares":[{"name":"plain"},{"name":"gate"}]}})");
        add_middleware("torn", R"({"chain":{"middlewares":[{"name":"gate"},{"name":"nobody"}]}})");
        add_middleware("ring", R"({"chain":{"middlewares":[{"name":"ring"}]}})");
    }

    static std::string gate_at(const std::string& address)
    {
        return R"({"forwardAuth":{"address":")" + address + "\"}}";
    }

    void add_middleware(const std::string& name, const std::string& spec)
    {
        create(
            api::middleware_resource,
            R"({"apiVersion":"traefik.io/v1alpha1","kind":"Middleware","metadata":{"namespace":"shop","name":")" +
                name + R"("},"spec":)" + spec + "}"
        );
    }

    /// Sells shop/web at /services/web for 0.01, with more fields of the PaymentRoute's spec.
    void sell(const std::string& more = {})
    {
        const auto offer = create(
            api::service_offer_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"upstream":{"service":"web","port":80},"payment":{"network":"base-sepolia",)"
            R"("payTo":"0x00000000000000000000000000000000000000aB","price":{"perRequest":"0.01"}}}})"
        );
        create(
            api::payment_route_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{"namespace":"shop",)"
            R"("name":"web-payment","ownerReferences":[{"apiVersion":"obol.org/v1alpha1",)"
            R"("kind":"ServiceOffer","name":"web","controller":true,"uid":")" +
                offer->meta.uid +
                R"("}]},"spec":{"pattern":"/services/web/*","price":"10000","network":"eip155:84532",)"
                R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
                R"("facilitatorURL":"https://x402.org/facilitator","rules":[{"pattern":"/free","gate":"free"}],)"
                R"("payTo":"0x00000000000000000000000000000000000000aB")" +
                more + "}}"
        );
    }

    /// An HTTPRoute of namespace shop that the Gateway accepts, with one rule for a path.
    void route(const std::string& name, const std::string& path, const std::string& rest)
    {
        create(
            api::http_route_resource,
            R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"namespace":"shop",)"
            R"("name":")" +
                name + R"("},"spec":{"parentRefs":[{"name":"traefik-gateway","namespace":"traefik"}],)" +
                R"("rules":[{"matches":[)" + prefix(path) + "]" + (rest.empty() ? "" : ",") + rest + "}]}}"
        );
        report(
            api::http_route_resource,
            name,
            R"({"parents":[{"parentRef":{"name":"traefik-gateway","namespace":"traefik"},"controllerName":)"
            R"("traefik.io/gateway-controller","conditions":[{"type":"Accepted","status":"True",)"
            R"("reason":"Accepted","message":"","observedGeneration":1,)"
            R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}]})"
        );
    }

    json::object explain(const std::string& url, std::vector<std::string> more = {})
    {
        std::vector<std::string> words{"explain", url, "-o", "json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto told = run(words);
        INFO(told.err);
        return json::parse(told.out).as_array().at(0).as_object();
    }

    /// "outcome status", and whether it passes unpaid.
    std::string verdict(const std::string& url)
    {
        const json::object told = explain(url);
        return fmt::format(
            "{} {}{}",
            kube::string_at(told, "outcome"),
            kube::int_at(told, "status"),
            kube::bool_at(told, "unpaid") ? " unpaid" : ""
        );
    }
};

std::string through(std::initializer_list<const char*> middlewares, const std::string& more = {})
{
    std::vector<std::string> out;
    for (const char* each : middlewares)
        out.push_back(fmt::format(
            R"({{"type":"ExtensionRef","extensionRef":{{"group":"traefik.io","kind":"Middleware","name":"{}"}}}})",
            each
        ));
    if (!more.empty())
        out.push_back(more);
    return fmt::format(R"("filters":[{}])", fmt::join(out, ","));
}

std::string to(const std::string& service, int port = 80)
{
    return fmt::format(R"("backendRefs":[{{"name":"{}","port":{}}}])", service, port);
}

const std::string redirect =
    R"({"type":"RequestRedirect","requestRedirect":{"scheme":"https","statusCode":301}})";

}  // namespace

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
        R"("filters":[{"type":"RequestMirror","requestMirror":{"backendRef":{"name":"web","port":80}}}],)" + to("web")
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

TEST_CASE("a rule goes through its Middlewares, chains too, and one that is missing ends it", "[cli][explain]")
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
    CHECK(
        told(through({"gate"}, R"({"type":"URLRewrite","urlRewrite":{}})") + behind) == "gateway 500"
    );
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
        assumed.out.find("asks http://elsewhere.example/verify/shop/web, which is taken for the operator's verifier") !=
        std::string::npos
    );
    w.create(
        api::config_map_resource,
        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"portitor","name":"portitor-config"},)"
        R"("data":{"portitor.yaml":"default-facilitator: https://x402.org/facilitator\n"}})"
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
    w.route("own", "/services/web", through({"gate"}) + "," + to("web"));
    const auto told = w.run({"explain", "/services/web/a"});
    CHECK(told.out.find("402, and 0.01 USDC") != std::string::npos);
    CHECK(told.out.find("as long as the verifier has no value of the credential upstream, it answers 503") !=
          std::string::npos);
}

TEST_CASE("an object that cannot be taken into account is named", "[cli][explain]")
{
    gateway_world w;
    w.sell(R"(,"network":"eip155:999999")");
    const auto told = w.run({"explain", "/nothing"});
    CHECK(told.err.find("portitor: left out: PaymentRoute shop/web-payment: spec.network: ") != std::string::npos);
}
