#include "cli/doctor/traefik_flags.hpp"
#include "doctor_world.hpp"

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

json::object workload(const std::string& key, const std::string& container)
{
    const auto slash = key.find('/');
    return object_of(fmt::format(
        R"({{"metadata": {{"namespace": "{}", "name": "{}"}},
            "spec": {{"template": {{"spec": {{"containers": [{}]}}}}}}}})",
        key.substr(0, slash),
        key.substr(slash + 1),
        container
    ));
}

json::object gateway_class(const std::string& name, const std::string& controller)
{
    return object_of(fmt::format(
        R"({{"metadata": {{"name": "{}"}}, "spec": {{"controllerName": "{}"}}}})", name, controller
    ));
}

json::object gateway_of(const std::string& key, const std::string& class_name)
{
    const auto slash = key.find('/');
    return object_of(fmt::format(
        R"({{"metadata": {{"namespace": "{}", "name": "{}"}},
            "spec": {{"gatewayClassName": "{}", "listeners": [{{"name": "web", "protocol": "HTTP"}}]}}}})",
        key.substr(0, slash),
        key.substr(slash + 1),
        class_name
    ));
}

// As k3s starts the Traefik that it brings.
constexpr const char* of_k3s = R"({"name": "traefik", "image": "rancher/mirrored-library-traefik:3.6.2",
    "args": ["--entryPoints.web.address=:8000/tcp", "--providers.kubernetescrd", "--providers.kubernetesingress"]})";

}  // namespace

TEST_CASE("a Traefik elsewhere than the Gateway is found", "[cli][doctor]")
{
    doctor_world world;
    world.settings.gateway.gateway = {"shops", "front"};
    world.cluster.lists["deployments"] = {
        workload("shops/sample", R"({"name": "whoami", "image": "traefik/whoami:v1.11"})"),
        workload("kube-system/traefik", of_k3s)};
    const auto found = world.visit(&examine_traefik);
    CHECK(says(found, "info settings: those of Deployment kube-system/traefik\n"));
    CHECK(says(found, "ok version: 3.6.2 (image rancher/mirrored-library-traefik:3.6.2)"));
    CHECK(says(found, "ok providers.kubernetescrd: on"));
    CHECK(says(found, "failure providers.kubernetesgateway: it is off"));
    CHECK_FALSE(says(found, "whoami"));
}

TEST_CASE(
    "a cluster without Traefik, or with one that may not be seen, is not said to be well", "[cli][doctor]"
)
{
    doctor_world world;
    CHECK(says(
        world.visit(&examine_traefik), "not checked settings: no Deployment or DaemonSet of Traefik is in"
    ));
    // Who may look beside the Gateway alone.
    world.cluster.forbidden_everywhere = {"deployments", "daemonsets"};
    CHECK(says(
        world.visit(&examine_traefik),
        "not checked settings: namespace traefik, where the Gateway is, has no Traefik\n"
    ));
    world.cluster.forbidden = {"deployments", "daemonsets"};
    CHECK(says(
        world.visit(&examine_traefik),
        "not checked settings: the right to list deployments and daemonsets in traefik is missing"
    ));
}

TEST_CASE("Traefik is told by its image or by how it is started", "[cli][doctor]")
{
    const auto is = [](const char* container) { return is_traefik(object_of(container)); };
    CHECK(is(R"({"image": "docker.io/traefik:v3.6"})"));
    CHECK(is(R"({"image": "traefik@sha256:12"})"));
    CHECK(is(R"({"image": "registry:5000/edge", "args": ["--providers.kubernetesCRD"]})"));
    CHECK_FALSE(is(R"({"image": "traefik/whoami"})"));
    CHECK_FALSE(is(R"({"image": "envoy:traefik"})"));
    CHECK_FALSE(is(R"({"image": 7, "args": 7})"));
}

TEST_CASE(
    "the Gateways and classes that are there are named where the one that is meant is not", "[cli][doctor]"
)
{
    doctor_world world;
    const std::string name = "failure Gateway traefik/traefik-gateway: it is not there";
    CHECK(says(world.visit(&examine_gateway), name + " (there is none at all)\n"));
    world.cluster.lists["gateways"] = {
        gateway_of("envoy/edge", "eg"), gateway_of("kube-system/front", "traefik")};
    CHECK(says(
        world.visit(&examine_gateway), name + " (there are: envoy/edge of eg, kube-system/front of traefik)"
    ));

    world.settings.gateway.gateway = {"envoy", "edge"};
    world.cluster.objects["gateways/envoy/edge"] = gateway_of("envoy/edge", "eg");
    world.cluster.lists["gatewayclasses"] = {gateway_class("other", "example.com/c")};
    CHECK(says(
        world.visit(&examine_gateway),
        "failure GatewayClass eg: it is not there (there are: other of example.com/c)"
    ));
    world.cluster.forbidden = {"gatewayclasses"};
    CHECK(
        says(world.visit(&examine_gateway), "not checked GatewayClass eg: the right to get gatewayclasses is")
    );
}

TEST_CASE("a Gateway of another make is told apart from a Traefik of another name", "[cli][doctor]")
{
    doctor_world world;
    world.settings.gateway.gateway = {"envoy", "edge"};
    world.cluster.objects["gateways/envoy/edge"] = gateway_of("envoy/edge", "eg");
    const auto with = [&](const std::string& controller) {
        world.cluster.objects["gatewayclasses//eg"] = gateway_class("eg", controller);
        for (const finding& each : world.visit(&examine_gateway))
        {
            if (each.check == "GatewayClass eg")
                return fmt::format("{} {} -> {}", to_string(each.how), each.words, each.advice);
        }
        return std::string();
    };
    const std::string envoy = "gateway.envoyproxy.io/gatewayclass-controller";
    CHECK(with("traefik.io/gateway-controller") == "ok traefik.io/gateway-controller -> ");
    CHECK(with("traefik.example.com/c").find("-> set gateway.controller of the chart") != std::string::npos);
    CHECK(with(envoy).starts_with("failure its controller is " + envoy));
    CHECK(with(envoy).find("-> the gate is a Middleware of Traefik") != std::string::npos);
    world.settings.gateway.controller = envoy;
    CHECK(with(envoy).starts_with("warning " + envoy + " does not seem to be Traefik"));
}

TEST_CASE("where the offers cannot be read nothing is said to be well for all of them", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.objects["gateways/traefik/traefik-gateway"] =
        gateway_of("traefik/traefik-gateway", "traefik");
    CHECK(says(world.visit(&examine_gateway), "not checked allowedRoutes: there is no market"));
    notebook into("traefik");
    judge_traefik(
        read_traefik(object_of(R"({"args": ["--providers.kubernetescrd.namespaces=a"]})")), std::nullopt, into
    );
    CHECK(says(into.findings(), "not checked providers.kubernetescrd.namespaces: the offers cannot be read"));
}
