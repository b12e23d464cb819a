#include "../../offer/offer_world.hpp"
#include "catch.hpp"
#include "offer/drift.hpp"
#include "roles/controller/discovery/route.hpp"

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using test::changed;
using test::object_from;
using test::world;

namespace {

const kube::object_ptr service = object_from(
    R"({"metadata": {"name": "portitor-controller", "namespace": "portitor", "uid": "service-uid"}, "spec": {}})"
);

boost::json::object desired()
{
    return desired_discovery_route(service->meta, 8080, world().settings, 1, {});
}

// The route as the API server has it once it was applied.
kube::object_ptr live()
{
    auto raw = desired();
    raw["metadata"].as_object()["uid"] = "route-uid";
    raw["metadata"].as_object()["generation"] = 1;
    return kube::parse_object(raw).value();
}

std::size_t foreign(const kube::object_ptr& route)
{
    const auto todo = change_to(route.get(), desired());
    return todo ? todo->foreign.size() : 99;
}

}  // namespace

TEST_CASE("the discovery route, byte for byte", "[controller][discovery][route]")
{
    CHECK(
        boost::json::serialize(desired()) ==
        R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"portitor-discovery",)"
        R"("namespace":"portitor","labels":{"app.kubernetes.io/managed-by":"portitor"},"ownerReferences":[{)"
        R"("apiVersion":"v1","kind":"Service","name":"portitor-controller","uid":"service-uid"}],)"
        R"("annotations":{"obol.org/desired-hash":"2c1f04b3f176bde4"}},"spec":{"parentRefs":[{)"
        R"("group":"gateway.networking.k8s.io","kind":"Gateway","namespace":"traefik","name":"traefik-gateway"}],)"
        R"("hostnames":[],"rules":[{"matches":[{"path":{"type":"Exact",)"
        R"("value":"/.well-known/agent-registration.json"}},{"path":{"type":"Exact","value":"/api/services.json"}},)"
        R"({"path":{"type":"PathPrefix","value":"/.well-known/agent-registration/"}}],"backendRefs":[{"group":"",)"
        R"("kind":"Service","name":"portitor-controller","port":8080,"weight":1}]}]}})"
    );
}

TEST_CASE("the route is written where it is not as desired, and only there", "[controller][discovery][route]")
{
    const auto made = change_to(nullptr, desired());
    REQUIRE(made);
    CHECK(made->desired == desired());
    CHECK(made->uid.empty());
    CHECK_FALSE(change_to(live().get(), desired()));
    // What others add beside it is theirs.
    CHECK_FALSE(change_to(changed(live(), "/metadata/labels/team", "\"a\"").get(), desired()));
    CHECK_FALSE(change_to(changed(live(), "/status", R"({"parents": []})").get(), desired()));

    CHECK(foreign(changed(live(), "/spec/hostnames", R"(["x.example"])")) == 0);
    CHECK(foreign(changed(live(), "/spec/rules", "[]")) == 0);
    CHECK(foreign(changed(live(), "/spec/more", "1")) == 1);
    CHECK(foreign(changed(live(), "/metadata/labels", "")) == 0);
    CHECK(foreign(changed(live(), "/metadata/ownerReferences", "")) == 0);
    // It cannot be brought back: it is made again when it is gone.
    const auto going = changed(live(), "/metadata/deletionTimestamp", "\"2026-11-24T20:00:00Z\"");
    CHECK_FALSE(change_to(changed(going, "/spec/rules", "[]").get(), desired()));
}

TEST_CASE("another Service or Gateway is another route", "[controller][discovery][route]")
{
    auto other = world().settings;
    CHECK(change_to(live().get(), desired_discovery_route(service->meta, 8081, other, 1, {})));
    other.gateway.section = "web";
    CHECK(change_to(live().get(), desired_discovery_route(service->meta, 8080, other, 1, {})));
    auto again = service->meta;
    again.uid = "made-again";
    CHECK(change_to(live().get(), desired_discovery_route(again, 8080, world().settings, 1, {})));
}

TEST_CASE(
    "a route of somebody else is none of ours, and an edited one still is", "[controller][discovery][route]"
)
{
    CHECK(is_discovery_route(*live(), service->meta));
    auto edited = changed(live(), "/metadata/labels", "");
    CHECK(is_discovery_route(*edited, service->meta));
    edited = changed(edited, "/metadata/annotations", "");
    CHECK(is_discovery_route(*edited, service->meta));
    edited = changed(edited, "/metadata/ownerReferences", "");
    CHECK_FALSE(is_discovery_route(*edited, service->meta));
}

TEST_CASE(
    "hosts of offers share routes of sixteen, and stay where they are", "[controller][discovery][route]"
)
{
    std::map<std::string, std::size_t> hosts;
    for (int i = 10; i < 45; ++i)
        hosts["h" + std::to_string(i) + ".example"] = 1;
    host_shares held = share_hosts(hosts, {}, {});
    REQUIRE(held.size() == 3);
    CHECK(held.at(2).size() == 16);
    CHECK(held.at(3).size() == 16);
    CHECK(held.at(4) == std::vector<std::string>{"h42.example", "h43.example", "h44.example"});
    CHECK(share_hosts(hosts, held, {}) == held);

    // One that goes leaves a gap, which the next one fills; no other route changes.
    hosts.erase("h11.example");
    auto next = share_hosts(hosts, held, {});
    CHECK(next.at(2).size() == 15);
    CHECK(next.at(3) == held.at(3));
    hosts["a.example"] = 1;
    next = share_hosts(hosts, next, {});
    CHECK(next.at(2).back() == "a.example");
    CHECK(next.at(4) == held.at(4));

    // One that stands twice counts once; what is empty goes; what is somebody else's is not used.
    CHECK(share_hosts({{"a", 1}}, {{2, {"a"}}, {3, {"a", "b"}}}, {}) == host_shares{{2, {"a"}}});
    CHECK(share_hosts({{"a", 1}}, {{1, {"a"}}}, {2, 3}) == host_shares{{4, {"a"}}});
    CHECK(share_hosts({}, held, {}).empty());
}

TEST_CASE("a route's number is its name's", "[controller][discovery][route]")
{
    CHECK(discovery_route_name(1) == "portitor-discovery");
    CHECK(discovery_route_name(12) == "portitor-discovery-12");
    CHECK(discovery_route_number("portitor-discovery") == 1U);
    CHECK(discovery_route_number("portitor-discovery-12") == 12U);
    for (const char* other :
         {"portitor-discovery-",
          "portitor-discovery-1",
          "portitor-discovery-02",
          "portitor-discovery-2x",
          "so-2",
          ""})
        CHECK_FALSE(discovery_route_number(other));
    const auto made =
        desired_discovery_route(service->meta, 8080, world().settings, 2, {"a.example", "b.example"});
    CHECK(boost::json::serialize(made.at("spec").at("hostnames")) == R"(["a.example","b.example"])");
    CHECK(made.at("metadata").at("name") == "portitor-discovery-2");
}
