#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/gate_trial.hpp"
#include "offer/route_precedence.hpp"
#include "offer_world.hpp"

#include <fmt/format.h>

using namespace portitor;
using namespace portitor::offer;
using test::object_from;
using test::world;
using texts = std::vector<std::string>;

namespace {

kube::object_ptr route_of(const std::string& name, const std::string& matches, const std::string& hosts = "")
{
    return object_from(fmt::format(
        R"({{"metadata": {{"name": "{}", "namespace": "bob"}}, "spec": {{
            "parentRefs": [{{"namespace": "traefik", "name": "traefik-gateway"}}],
            "hostnames": [{}], "rules": [{{"matches": [{}]}}]}}}})",
        name,
        hosts,
        matches
    ));
}

std::string path(const std::string& type, const std::string& value, const std::string& more = "")
{
    return R"({"path": {"type": ")" + type + R"(", "value": ")" + value + R"("})" + more + "}";
}

}  // namespace

TEST_CASE("which rules the gateway may prefer to an offer's", "[controller][proof]")
{
    struct row
    {
        std::string match;
        bool preferred;
        std::string hosts = "";
    };
    const auto each = GENERATE(values<row>({
        {path("Exact", "/services/hello/0123abcd"), true},
        {path("Exact", "/services/hello/portitor-gate-proof"), false},
        {path("PathPrefix", "/services/hello"), true},
        {path("PathPrefix", "/services/hello/"), true},
        {path("PathPrefix", "/services/hello/0123abcd"), true},
        {path("PathPrefix", "/services/hello/else"), false},
        {path("PathPrefix", "/services/hell"), false},
        {path("PathPrefix", "/services"), false},
        {path("PathPrefix", "/"), false},
        {"", false},
        // Whatever else a rule asks for makes it weigh more.
        {path("PathPrefix", "/services", R"(, "method": "GET")"), true},
        {path("PathPrefix", "/services/", R"(, "headers": [{"name": "Accept", "value": "x"}])"), false},
        {path("PathPrefix", "/services", R"(, "headers": [{}, {}, {}, {}, {}, {}])"), true},
        {path("RegularExpression", "/services/hello/[0-9a-f]{8}"), true},
        {path("RegularExpression", ".*"), false},
        // By its host.
        {path("PathPrefix", "/services/hello"), true, R"("api.example.com")"},
        {path("PathPrefix", "/services/hello"), true, R"("*.example.com", 7)"},
        {path("PathPrefix", "/services/hello"), false, R"("other.example.com")"},
        {path("PathPrefix", "/services/hell"), false, R"("api.example.com")"},
        {path("Exact", "/elsewhere") + ", " + path("Exact", "/services/hello/0123abcd"), true},
    }));
    CAPTURE(each.match, each.hosts);
    const world all;
    const auto own = route_of("so-hello", path("PathPrefix", "/services/hello"));
    const auto other = route_of("trick", each.match, each.hosts);
    const std::string found =
        preferred_rule(*other, *own, "api.example.com", "/services/hello/0123abcd", all.settings);
    CHECK(!found.empty() == each.preferred);
    CHECK((found.empty() || found.starts_with("HTTPRoute bob/trick, spec.rules[0] (")));
}

TEST_CASE("a route of another gateway is preferred to nothing", "[controller][proof]")
{
    world all;
    const auto own = route_of("so-hello", path("PathPrefix", "/services/hello"));
    const auto other = route_of("trick", path("PathPrefix", "/services/hello"));
    all.settings.gateway.gateway.name = "another";
    CHECK(preferred_rule(*other, *own, "api.example.com", "/services/hello/x", all.settings).empty());
}

TEST_CASE("routes are found by the paths above a request's", "[controller][proof]")
{
    CHECK(paths_above("/a/b/c") == texts{"~", "/", "/a", "/a/b", "/a/b/c"});
    CHECK(paths_above("/") == texts{"~", "/"});
    CHECK(paths_above("/a/") == texts{"~", "/", "/a"});
    const auto route = route_of(
        "many",
        path("PathPrefix", "/a/b/") + ", " + path("Exact", "/a") + ", " + path("RegularExpression", "/x.*") +
            ", {}, " + path("Exact", "/a")
    );
    CHECK(matched_paths(*route) == texts{"/", "/a", "/a/b", "~"});
}
