#include "../../api/objects.hpp"
#include "catch.hpp"
#include "cli/explain/gateway_match.hpp"
#include "gateway_world.hpp"

using namespace portitor;
using namespace portitor::cli;
using namespace portitor::cli::explain;

namespace {

namespace json = boost::json;
using explain::samples::listener_of;
using explain::samples::prefix;

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

}  // namespace

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

TEST_CASE(
    "Traefik counts the longest host name of the route, and earlier rules above later ones", "[cli][explain]"
)
{
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    const auto one_host = route_with("one-host", all, R"("h.example.com")");
    const auto more_hosts = route_with("z-more-hosts", all, R"("h.example.com","much.longer.example.com")");
    CHECK(winner({one_host, more_hosts}, "http://h.example.com/a") == "z-more-hosts");
    CHECK(winner({one_host, more_hosts}, "http://h.example.com/a", "example.com/other") == "one-host");
    const auto more_rules = route_with(
        "z-more-rules",
        all + R"(,{"matches":[)" + prefix("/b") + R"(]},{"matches":[)" + prefix("/c") + "]}",
        R"("h.example.com")"
    );
    CHECK(winner({one_host, more_rules}, "http://h.example.com/a") == "z-more-rules");
    const auto by_priority = candidates({one_host, more_rules}, "http://h.example.com/a");
    REQUIRE(by_priority.size() == 2);
    CHECK(by_priority[0].priority == 10'000 + 200 + 13 + 3);
    CHECK(by_priority[1].priority == 10'000 + 200 + 13 + 1);
    // The Gateway API: a method never beats one more character of the path.
    const auto by_method = route("by-method", prefix("/a", R"(,"method":"GET")"));
    CHECK(
        winner({by_method, route("narrow", prefix("/a/b"))}, "http://h/a/b", "example.com/other") == "narrow"
    );
}

TEST_CASE("a route counts where the request's listener has it", "[cli][explain]")
{
    const std::string both = listener_of("web", "HTTP", 8000) + "," + listener_of("tls", "HTTPS", 8443);
    const auto gateway = gateway_with(both);
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    const auto by_section = [&](const std::string& section) {
        return route_with(
            section,
            all,
            "",
            R"({"namespace":"traefik","name":"traefik-gateway","sectionName":")" + section + "\"}"
        );
    };
    const std::vector<kube::object_ptr> routes{by_section("web"), by_section("tls")};
    CHECK(winner(routes, "http://h.example/a", "", gateway) == "web");
    CHECK(winner(routes, "https://h.example/a", "", gateway) == "tls");
    CHECK(winner(routes, "https://h.example:8443/a", "", gateway) == "tls");
    CHECK(winner({routes[0]}, "https://h.example/a", "", gateway).empty());
    CHECK(
        candidates({routes[0]}, "https://h.example/a", gateway)[0].not_served ==
        "no listener that it is attached to takes this request"
    );
    const auto by_port =
        route_with("by-port", all, "", R"({"namespace":"traefik","name":"traefik-gateway","port":8443})");
    CHECK(winner({by_port}, "http://h.example/a", "", gateway).empty());
    CHECK(winner({by_port}, "https://h.example/a", "", gateway) == "by-port");
    // TLS may end in front of the gateway.
    const auto plain = gateway_with(listener_of("web", "HTTP", 8000));
    CHECK(winner({routes[0]}, "https://h.example/a", "", plain) == "web");
    CHECK(find_arrival(plain, *read_target("https://h/a"), settings_of()).scheme == "http");
    CHECK(find_arrival(
              gateway_with(listener_of("tls", "HTTPS", 443)), *read_target("http://h/a"), settings_of()
    )
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
    CHECK(
        candidates({open}, "http://h/a", same)[0].not_served ==
        "the Gateway's listener web lets no routes of namespace team in"
    );
    const auto broken = gateway_with(
        listener_of("web", "HTTP", 80),
        R"({"name":"web","conditions":[{"type":"Accepted","status":"False","reason":"PortUnavailable",)"
        R"("observedGeneration":1}]})"
    );
    CHECK(
        candidates({open}, "http://h/a", broken)[0].not_served ==
        "the Gateway's listener web is not served: PortUnavailable"
    );
    // Which namespaces a selector takes is known where the route can be accepted by that listener only.
    const std::string selected =
        R"({"name":"web","protocol":"HTTP","port":80,"allowedRoutes":{"namespaces":{"from":"Selector"}}})";
    CHECK(winner({open}, "http://h/a", "", gateway_with(selected)) == "open");
    const auto two = gateway_with(selected + "," + listener_of("tls", "HTTPS", 443));
    CHECK(
        candidates({open}, "http://h/a", two)[0].only_if ==
        "the Gateway's listener web selects the namespace team"
    );
}

TEST_CASE(
    "of several words on a route that of the Gateway's controller on this form of it counts", "[cli][explain]"
)
{
    const std::string all = R"({"matches":[)" + prefix("/a") + "]}";
    CHECK(winner({route_with("yes", all)}, "http://h/a") == "yes");
    CHECK(winner({route_with("no", all, "", parent, "False")}, "http://h/a").empty());
    const auto stale = test::changed(route_with("stale", all), "/metadata/generation", "3");
    CHECK(
        candidates({stale}, "http://h/a")[0].not_served == "the Gateway has not judged its present form yet"
    );
    // One parentRef is accepted, the other is not.
    const std::string web = R"({"namespace":"traefik","name":"traefik-gateway","sectionName":"web"})";
    const std::string tls = R"({"namespace":"traefik","name":"traefik-gateway","sectionName":"tls"})";
    const auto said = [](const std::string& ref, const char* status) {
        return R"({"parentRef":)" + ref +
               R"(,"controllerName":"traefik.io/gateway-controller","conditions":)" +
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
    CHECK(winner({by_query}, "http://h/a?b;q=x+y;c") == "by-query");
}
