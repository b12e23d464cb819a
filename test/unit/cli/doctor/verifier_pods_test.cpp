#include "doctor_world.hpp"

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

/// Three pods of the verifier behind its Service.
struct pods_world : doctor_world
{
    pods_world()
    {
        cluster.lists["endpointslices"] = {slice(
            R"([{"conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "v-0"}},
                {"conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "v-1"}},
                {"conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "v-2"}}])"
        )};
        cluster.on_ask = [this](const std::string& target, const std::string&) {
            asked.push_back(target);
            http::response out = answer(target.ends_with("/healthz") ? 200 : 403);
            if (!target.ends_with("/healthz"))
                out.set("X-Portitor-Route", "none");
            return out;
        };
    }

    static json::object slice(
        const std::string& endpoints,
        const std::string& ports = R"([{"name": "metrics", "port": 8081}, {"name": "gate", "port": 8080}])"
    )
    {
        return object_of(
            R"({"metadata": {"namespace": "portitor", "name": "s"}, "ports": )" + ports +
            R"(, "endpoints": )" + endpoints + "}"
        );
    }

    std::vector<std::string> asked;
};

}  // namespace

TEST_CASE("doctor asks each pod of the verifier", "[cli][doctor]")
{
    pods_world world;
    const auto found = world.visit(&examine_gateway);
    CHECK(says(found, "ok Service portitor/portitor-verifier: ready endpoints: 3"));
    CHECK(says(found, "ok verifier pods: 3 answer: v-0, v-1, v-2\n"));
    const auto was_asked = [&](const std::string& target) {
        return std::count(world.asked.begin(), world.asked.end(), target) == 1;
    };
    CHECK(was_asked("/api/v1/namespaces/portitor/pods/v-1:8080/proxy/verify"));
    CHECK(was_asked("/api/v1/namespaces/portitor/pods/v-1:8081/proxy/healthz"));

    world.settings.gateway.verifier_url = "https://portitor-verifier.portitor.svc:8443";
    world.visit(&examine_gateway);
    CHECK(was_asked("/api/v1/namespaces/portitor/pods/https:v-1:8080/proxy/verify"));
}

TEST_CASE("a pod of the verifier that listens and never answers is named", "[cli][doctor]")
{
    pods_world world;
    world.cluster.silent = "/pods/v-1:";
    const auto found = world.visit_silent(&examine_gateway);
    CHECK(says(
        found, "failure Pod v-1: it is ready, and does not answer (no answer within 0.5 s), as others do"
    ));
    CHECK(says(found, "ok verifier pods: 2 answer: v-0, v-2\n"));

    world.cluster.silent = "/pods/";
    const auto all = world.visit_silent(&examine_gateway);
    CHECK(
        says(all, "warning Pod v-0: it is ready, and does not answer the API server (no answer within 0.5 s)")
    );
    CHECK_FALSE(says(all, "verifier pods"));
}

TEST_CASE("a NetworkPolicy that keeps the API server from the gate makes no failure", "[cli][doctor]")
{
    pods_world world;
    world.cluster.silent = "/verify";
    const auto found = world.visit_silent(&examine_gateway);
    CHECK(says(found, "not checked Pod v-0: it is well on its health port; its gate does not answer here"));
    CHECK_FALSE(says(found, "failure Pod"));
}

TEST_CASE("without the right to ask pods their readiness is what is told", "[cli][doctor]")
{
    pods_world world;
    world.cluster.lists["endpointslices"] = {pods_world::slice(
        R"([{"conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "v-0"}},
            {"conditions": {"ready": false}, "targetRef": {"kind": "Pod", "name": "v-1"}},
            {"conditions": {"ready": false, "terminating": true}, "targetRef": {"kind": "Pod", "name": "v-2"}}])"
    )};
    world.cluster.on_ask = [](const std::string&, const std::string&) {
        return answer(403, R"({"kind": "Status", "message": "pods \"v-0\" is forbidden"})");
    };
    const auto found = world.visit(&examine_gateway);
    CHECK(says(found, "ok Service portitor/portitor-verifier: ready endpoints: 1"));
    CHECK(says(found, "warning verifier pods: not ready: v-1\n"));
    CHECK(says(
        found, "not checked verifier pods: whether each answers: the right to get pods/proxy in portitor"
    ));
}

TEST_CASE("what EndpointSlices hold makes no other request than one to a pod", "[cli][doctor]")
{
    pods_world world;
    world.cluster.lists["endpointslices"] = {
        pods_world::slice(
            R"([{"targetRef": {"kind": "Pod", "name": "../../secrets"}}, {"targetRef": {"kind": "Pod", "name": "v?a"}},
                {"targetRef": {"kind": "Node", "name": "v"}}, {"targetRef": 7}, 7])"
        ),
        pods_world::slice(R"([{"targetRef": {"kind": "Pod", "name": "one"}}])", R"([{"port": 80}])"),
        pods_world::slice(R"([{"targetRef": {"kind": "Pod", "name": "none"}}])", R"({"port": 80})")};
    const auto found = world.visit(&examine_gateway);
    CHECK(world.asked == std::vector<std::string>{"/api/v1/namespaces/portitor/pods/one:80/proxy/verify"});
    CHECK(says(found, "ok verifier pods: 1 answer: one\n"));
}
