#include "cli/doctor/traefik_flags.hpp"
#include "doctor_world.hpp"

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

json::object gateway(const std::string& allowed)
{
    return object_of(
        R"({"metadata": {"namespace": "traefik", "name": "traefik-gateway", "generation": 2},
            "spec": {"gatewayClassName": "traefik", "listeners": [
              {"name": "web", "protocol": "HTTP", "port": 8000, "allowedRoutes": {"namespaces": )" +
        allowed +
        R"(}}]},
            "status": {"conditions": [
              {"type": "Accepted", "status": "True", "observedGeneration": 1},
              {"type": "Programmed", "status": "False", "reason": "AddressNotAssigned", "message": "none"}],
              "listeners": [{"name": "web", "conditions": [
                {"type": "Accepted", "status": "False", "reason": "PortUnavailable",
                 "message": "no port"}]}]}})"
    );
}

std::vector<finding>
judged(const std::string& container, const std::optional<std::set<std::string>>& selling = std::nullopt)
{
    notebook into("traefik");
    judge_traefik(read_traefik(object_of(container)), selling, into);
    return into.findings();
}

json::object with_spec(const std::string& name, const std::string& spec)
{
    return object_of(
        R"({"metadata": {"namespace": "shop", "name": ")" + name + R"("}, "spec": )" + spec + "}"
    );
}

}  // namespace

TEST_CASE("doctor judges the Gateway, its class and its listeners", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.lists["serviceoffers"] = {sold_offer("hello")};
    world.read_market();
    CHECK(says(world.visit(&examine_gateway), "failure Gateway traefik/traefik-gateway: it is not there"));

    auto& live = world.cluster.objects["gateways/traefik/traefik-gateway"];
    live = gateway(R"({"from": "Same"})");
    world.cluster.objects["gatewayclasses//traefik"] =
        object_of(R"({"metadata": {"name": "traefik"}, "spec": {"controllerName": "example.com/other"}})");
    const auto found = world.visit(&examine_gateway);
    CHECK(says(found, "warning Gateway traefik/traefik-gateway: Accepted was said of an older generation"));
    CHECK(says(found, "Programmed is False (AddressNotAssigned): none"));
    CHECK(says(found, "failure GatewayClass traefik: its controller is example.com/other, but"));
    CHECK(says(found, "failure listener web: Accepted is False (PortUnavailable): no port"));
    CHECK(says(found, "failure allowedRoutes: no listener takes routes of namespaces that sell: shop\n"));
    CHECK(says(found, "failure Service portitor/portitor-verifier: it has no ready endpoint"));
    CHECK(says(found, "warning discovery: the HTTPRoute portitor/portitor-discovery is not there"));

    live = gateway(R"({"from": "All"})");
    CHECK(says(world.visit(&examine_gateway), "ok allowedRoutes: "));
    world.settings.gateway.section = "https";
    CHECK(says(world.visit(&examine_gateway), "failure listener https: the Gateway has no such listener"));
}

TEST_CASE("doctor evaluates a listener's selector by the namespaces' labels", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.lists["serviceoffers"] = {sold_offer("hello")};
    world.read_market();
    world.cluster.objects["gateways/traefik/traefik-gateway"] = gateway(
        R"({"from": "Selector", "selector": {"matchLabels": {"sells": "yes"},
            "matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}})"
    );
    auto& ns = world.cluster.objects["namespaces//shop"];
    ns = object_of(R"({"metadata": {"name": "shop", "labels": {"sells": "yes", "team": "b"}}})");
    CHECK(says(world.visit(&examine_gateway), "ok allowedRoutes: "));
    ns = object_of(R"({"metadata": {"name": "shop", "labels": {"sells": "yes", "team": "c"}}})");
    CHECK(says(world.visit(&examine_gateway), "failure allowedRoutes: "));
    world.cluster.forbidden = {"namespaces"};
    const auto unseen = world.visit(&examine_gateway);
    CHECK(says(unseen, "not checked allowedRoutes: the right to get namespaces is missing"));
    CHECK(says(unseen, "not checked allowedRoutes: by their labels, which were not looked at: shop\n"));
    CHECK_FALSE(says(unseen, "ok allowedRoutes"));
}

TEST_CASE("doctor reads how Traefik was started", "[cli][doctor]")
{
    const auto good = judged(
        R"({"image": "docker.io/traefik:v3.7.9", "args": ["--providers.kubernetesCRD",
            "--providers.kubernetesgateway.statusaddress.ip=1.2.3.4",
            "--providers.providersThrottleDuration=300ms"]})"
    );
    CHECK(
        lines(good) == "ok version: v3.7.9 (image docker.io/traefik:v3.7.9)\n"
                       "ok providers.kubernetescrd: on\nok providers.kubernetesgateway: on\n"
    );

    const auto bad = judged(
        R"({"image": "traefik:v2.11", "args": ["--providers.kubernetescrd=false",
            "--entryPoints.web.forwardedHeaders.insecure", "--providers.providersthrottleduration=1m30s"],
            "env": [{"name": "TRAEFIK_PROVIDERS_KUBERNETESGATEWAY_NAMESPACES", "value": "other,shops"}]})",
        std::set<std::string>{"shop"}
    );
    CHECK(says(bad, "failure version: v2.11"));
    CHECK(says(bad, "failure providers.kubernetescrd: it is off"));
    CHECK(says(bad, "ok providers.kubernetesgateway: on"));
    CHECK(says(
        bad, "failure providers.kubernetesgateway.namespaces: namespaces that sell are not in it: shop\n"
    ));
    CHECK(says(bad, "warning entrypoints.web.forwardedheaders.insecure: "));
    CHECK(says(bad, "warning providersThrottleDuration: 1m30s"));

    const auto file =
        judged(R"({"image": "registry:5000/traefik", "args": ["--configFile=/etc/traefik.yml"]})");
    CHECK(says(file, "not checked version: "));
    CHECK(says(file, "not checked providers.kubernetescrd: a file of Traefik's may turn it on"));
    CHECK(says(judged(R"({"image": "traefik:3.5"})"), "warning version: 3.5"));
    CHECK(says(judged(R"({"args": [1, "--", "-", ""], "env": 7})"), "not checked version"));
}

TEST_CASE("doctor names a gate that believes what buyers say of the path", "[cli][doctor]")
{
    doctor_world world;
    const auto gate = [](const std::string& name, const std::string& url, const std::string& trust) {
        return with_spec(
            name, R"({"forwardAuth": {"address": ")" + url + R"(", "trustForwardHeader": )" + trust + "}}"
        );
    };
    const std::string verifier = "http://portitor-verifier.portitor.svc";
    auto& live = world.cluster.lists["middlewares"];
    live = {
        gate("sound", verifier + ":8080/verify/shop/sound", "false"),
        gate("other", "http://login.other.svc/verify/x/y", "true")};
    CHECK(says(world.visit(&examine_traefik), "ok trustForwardHeader: "));
    live.push_back(gate("ours", verifier + ":8080/verify/shop/ours", "true"));
    live.push_back(gate("long", verifier + ".cluster.local:8080/verify/shop/long", "true"));
    live.back()["metadata"].as_object()["namespace"] = "elsewhere";
    const auto found = world.visit(&examine_traefik);
    CHECK(says(
        found,
        "failure trustForwardHeader: it is true on Middlewares that ask the verifier: shop/ours, "
        "elsewhere/long\n"
    ));
    CHECK_FALSE(says(found, "ok trustForwardHeader"));
    world.settings_known = false;
    CHECK(says(world.visit(&examine_traefik), "shop/other, shop/ours"));
    world.cluster.forbidden = {"middlewares"};
    CHECK(says(
        world.visit(&examine_traefik),
        "not checked trustForwardHeader: the right to list middlewares is missing"
    ));
}

TEST_CASE("doctor finds Ingresses and IngressRoutes that lead to what is sold", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.lists["serviceoffers"] = {sold_offer("hello")};
    world.cluster.lists["middlewares"] = {with_spec(
        "gate",
        R"({"forwardAuth": {"address": "http://portitor-verifier.portitor.svc:8080/verify/shop/hello"}})"
    )};
    world.read_market();
    world.cluster.lists["ingresses"] = {
        with_spec(
            "free", R"({"rules": [{"http": {"paths": [{"backend": {"service": {"name": "hello"}}}]}}]})"
        ),
        with_spec("other", R"({"defaultBackend": {"service": {"name": "other"}}})")};
    const std::string service = R"("services": [{"name": "hello", "port": 9000}]})";
    world.cluster.lists["ingressroutes"] = {
        with_spec("paid", R"({"routes": [{"middlewares": [{"name": "gate"}], )" + service + "]}"),
        with_spec("open", R"({"routes": [{"middlewares": [{"name": "nobody"}], )" + service + "]}")};
    const auto found = world.visit(&examine_bypasses);
    CHECK(says(found, "ok HTTPRoutes: none leads around a gate"));
    CHECK(says(found, "warning Ingress shop/free: it leads to the Service shop/hello"));
    CHECK(says(found, "warning IngressRoute shop/open: it leads to the Service shop/hello"));
    CHECK_FALSE(says(found, "shop/other"));
    CHECK_FALSE(says(found, "shop/paid"));
}

TEST_CASE("doctor names an HTTPRoute that leads around a gate", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.lists["serviceoffers"] = {sold_offer("hello")};
    world.cluster.lists["httproutes"] = {with_spec(
        "wide",
        R"({"parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/services"}}],
                       "backendRefs": [{"name": "hello", "port": 9000}]}]})"
    )};
    world.read_market();
    CHECK(says(
        world.visit(&examine_bypasses),
        "failure HTTPRoutes: HTTPRoute shop/wide, spec.rules[0] (PathPrefix /services) leads to what the "
        "offer shop/hello sells"
    ));
}

TEST_CASE("doctor tells all entries of hosts that offers wait for", "[cli][doctor]")
{
    doctor_world world;
    world.settings.gateway.public_url = "https://api.example.com";
    world.settings.gateway.hosts.entries.push_back({"ours.example.com", {"shop"}, std::nullopt});
    const auto named = [](const std::string& name, const std::string& host) {
        json::object out = sold_offer(name);
        out["spec"].as_object()["hostname"] = host;
        return out;
    };
    world.cluster.lists["serviceoffers"] = {
        named("a", "llm.example.com"),
        named("b", "app.example.com"),
        named("c", "ours.example.com"),
        named("d", "api.example.com"),
        sold_offer("e")};
    world.read_market();
    const auto found = world.visit(&examine_gateway);
    const auto at = std::find_if(found.begin(), found.end(), [](const finding& each) {
        return each.check == "hosts that nobody has";
    });
    REQUIRE(at != found.end());
    CHECK(at->how == verdict::warning);
    CHECK(
        at->advice ==
        "add to \"hosts\" those entries that are meant to be: {host: app.example.com, namespaces: [shop]}, "
        "{host: llm.example.com, namespaces: [shop]}"
    );
}
