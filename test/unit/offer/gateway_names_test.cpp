#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/gateway_names.hpp"
#include "offer/place_claim.hpp"
#include "offer_world.hpp"

#include <fmt/format.h>

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::object_from;
using test::world;

TEST_CASE("what belongs to two namespaces may have one name for the gateway", "[controller][conflicts]")
{
    CHECK(gateway_name_of_service({"team", "a-hello"}, 80) == "team-a-hello-http-80");
    CHECK(gateway_name_of_service({"team-a", "hello"}, 80) == "team-a-hello-http-80");
    CHECK(gateway_name_of_service({"team-a", "hello"}, 81) != "team-a-hello-http-80");
    CHECK(gateway_name_of_service({"team--a", "hello"}, 80) == "team-a-hello-http-80");
    CHECK(gateway_name_of_middleware({"team", "a.x402-hello"}) == "team-a-x402-hello");
    CHECK(gateway_name_of_middleware({"team-a", "x402-hello"}) == "team-a-x402-hello");
    const kube::object_key key{"team-a", "hello"};
    CHECK(whose(named("team-a-hello-http-80", key)) == key);
    CHECK(named("team-a-hello-http-80", key).starts_with(named_so("team-a-hello-http-80")));
    CHECK_FALSE(named("team-a-hello-http-80", key).starts_with(named_so("team-a-hello-http-8")));
}

TEST_CASE("the Services that a route leads to, of every rule", "[controller][conflicts]")
{
    const auto found = backends_of(*object_from(R"({
        "metadata": {"name": "r", "namespace": "team"},
        "spec": {"rules": [
            {"backendRefs": [{"name": "a", "port": 80}, {"name": "b", "namespace": "other", "port": 81, "weight": 0}]},
            {"backendRefs": [{"group": "traefik.io", "kind": "TraefikService", "name": "c"}]},
            {},
            {"backendRefs": [{"group": "", "kind": "Service", "name": "d", "port": 82}]}
        ]}
    })"));
    CHECK(
        found == std::vector<route_backend>{{{"team", "a"}, 80}, {{"other", "b"}, 81}, {{"team", "d"}, 82}}
    );
}

TEST_CASE("an offer that the gateway would not find by its name is withheld", "[controller][conflicts]")
{
    struct row
    {
        const char* name;
        const char* ns;
        const char* words;
    };
    for (const auto& [name, ns, words] :
         {row{"dotted.name", "shop", "the name dotted.name has"},
          row{"two--dashes", "shop", "the name two--dashes has"},
          row{"plain", "two--dashes", "the namespace two--dashes has"}})
    {
        CAPTURE(name, ns);
        world all;
        all.offer = test::changed(all.offer, "/metadata/name", fmt::format("\"{}\"", name));
        all.offer = test::changed(all.offer, "/metadata/namespace", fmt::format("\"{}\"", ns));
        all.settle();
        CHECK(all.verdict("RoutePublished") == "False/UnfitName");
        CHECK_THAT(all.condition("RoutePublished").message, Contains(words));
        CHECK_FALSE(all.seen.http_route);
    }
    world other;
    other.settings.gateway.controller = "example.com/gateway";
    other.offer = test::changed(other.offer, "/metadata/name", "\"dotted.name\"");
    other.settle();
    CHECK(other.verdict("RoutePublished") != "False/UnfitName");
}

TEST_CASE("an offer whose name for the gateway another has too is withheld", "[controller][conflicts]")
{
    world all;
    all.seen.name_clash = "Service web of shop";
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/NameClash");
    CHECK(all.verdict("Ready") == "False/NameClash");
    CHECK_THAT(all.condition("RoutePublished").message, Contains("Service web of shop"));
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    all.seen.name_clash.clear();
    all.settle();
    CHECK(all.seen.http_route);
}

TEST_CASE(
    "an offer claims the place where it is published, and no other that it may not have",
    "[controller][conflicts]"
)
{
    world all;
    all.settle();
    REQUIRE(all.seen.http_route);
    CHECK(is_published(all.observation(), all.settings));
    // What cannot be sold keeps its place for as long as its route is there...
    all.edit("/spec/payment/network", R"("nowhere")");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    // ...and takes none of others': not by the path, and not by the host.
    all.edit("/spec/path", R"("/services/theirs")");
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    all.edit("/spec/path", R"("/Services/hello")");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.edit("/spec/hostname", R"("theirs.example.com")");
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    // What can be sold there may ask.
    all.edit("/spec/payment/network", R"("base-sepolia")");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.settings.gateway.hosts.entries.clear();
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
}

TEST_CASE("a route by hand for an offer that is not sold claims nothing", "[controller][conflicts]")
{
    world all;
    all.settle();
    REQUIRE(all.seen.http_route);
    all.selected = false;
    all.offer = test::changed(all.offer, "/metadata/finalizers", "[]");
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    all.selected = true;
    all.edit("/spec/payment/network", R"("nowhere")");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    // On no gateway of ours.
    all.seen.http_route =
        test::changed(all.seen.http_route, "/spec/parentRefs", R"([{"name": "elsewhere"}])");
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
}
