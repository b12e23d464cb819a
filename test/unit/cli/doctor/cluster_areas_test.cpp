#include "cli/yaml.hpp"
#include "doctor_world.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <ctime>

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

http::response version_answer(const std::string& body, std::chrono::seconds behind)
{
    http::response out = answer(200, body);
    const std::time_t then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - behind);
    std::tm parts{};
    gmtime_r(&then, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    out.set(http::field::date, text);
    return out;
}

json::object crd(const std::string& name, const std::string& conditions, const std::string& stored)
{
    return object_of(
        R"({"metadata": {"name": ")" + name +
        R"("}, "spec": {"versions": [{"name": "v1alpha1", "served": true}]}, "status": {"conditions": )" +
        conditions + R"(, "storedVersions": )" + stored + "}}"
    );
}

constexpr const char* good_names =
    R"([{"type": "Established", "status": "True"}, {"type": "NamesAccepted", "status": "True"}])";

}  // namespace

TEST_CASE("doctor tells old API servers, wrong clocks and wrong credentials", "[cli][doctor]")
{
    doctor_world world;
    CHECK(says(world.visit(&examine_api_server), "failure reached: the API server is not reached"));
    const auto with = [&](http::response said) {
        world.cluster.others["/version"] = std::move(said);
        return world.visit(&examine_api_server);
    };
    const auto good = with(version_answer(R"({"gitVersion": "v1.33.2"})", std::chrono::seconds(1)));
    CHECK(says(good, "ok version: v1.33.2, took 0 ms"));
    CHECK(says(good, "ok clock: within"));
    CHECK(says(
        with(version_answer(R"({"gitVersion": "v1.29.9+k3s1"})", std::chrono::seconds(0))),
        "failure version: v1.29.9+k3s1 is older than 1.30"
    ));
    CHECK(says(with(version_answer("{}", std::chrono::seconds(30))), "warning clock: "));
    CHECK(says(with(version_answer("{}", std::chrono::seconds(-600))), "s behind the API server's"));
    CHECK(says(with(answer(401)), "failure reached: it does not take these credentials"));
    CHECK(says(with(answer(200, "<html>")), "not checked version: "));
}

TEST_CASE("doctor tells whose names are taken and which custom resources are missing", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.objects["customresourcedefinitions//serviceoffers.obol.org"] =
        crd("serviceoffers.obol.org", good_names, R"(["v1alpha1", "v1"])");
    world.cluster.objects["customresourcedefinitions//paymentroutes.obol.org"] =
        crd("paymentroutes.obol.org",
            R"([{"type": "NamesAccepted", "status": "False", "reason": "ShortNamesConflict",
            "message": "\"pr\" is already in use\u001b[31m"}])",
            "[]");
    world.cluster.others["/apis/obol.org/v1alpha1"] =
        answer(200, R"({"resources": [{"name": "serviceoffers"}, {"name": "serviceoffers/status"}]})");
    world.cluster.others["/apis/traefik.io/v1alpha1"] = answer(404);
    const auto found = world.visit(&examine_crds);
    CHECK(says(found, "ok serviceoffers.obol.org: established"));
    CHECK(says(found, "warning serviceoffers.obol.org: objects are also stored as v1\n"));
    CHECK(says(found, R"(not accepted (ShortNamesConflict): "pr" is already in use\x1b[31m)"));
    CHECK(says(found, "failure registrationrequests.obol.org: this custom resource is not there"));
    CHECK(says(found, "ok ServiceOffer obol.org/v1alpha1: served"));
    CHECK(says(found, "failure PaymentRoute obol.org/v1alpha1: the API server does not serve it"));
    CHECK(says(found, "failure Middleware traefik.io/v1alpha1: the API server does not serve it"));
    CHECK(says(found, "not checked HTTPRoute gateway.networking.k8s.io/v1: "));
    CHECK(says(found, "warning admission policies: 0 policies"));
}

TEST_CASE("doctor tells whose uninstall would take all offers along", "[cli][doctor]")
{
    doctor_world world;
    const std::string name = "serviceoffers.obol.org";
    json::object& live = world.cluster.objects["customresourcedefinitions//" + name];
    const auto belongs_to = [&](const std::string& ns) {
        live = crd(name, good_names, R"(["v1alpha1"])");
        live["metadata"].as_object()["annotations"] = {
            {"meta.helm.sh/release-name", "base"}, {"meta.helm.sh/release-namespace", ns}};
        return world.visit(&examine_crds);
    };
    CHECK(says(
        belongs_to("kube-system"),
        "info " + name + ": it belongs to the Helm release base in namespace kube-system"
    ));
    CHECK_FALSE(says(belongs_to("portitor"), "it belongs to"));
}

TEST_CASE("doctor compares the schema that is served with its own", "[cli][doctor]")
{
    doctor_world world;
    auto& live = world.cluster.objects["customresourcedefinitions//serviceoffers.obol.org"];
    live = cli::parse_yaml(std::string(schema::crd_text("ServiceOffer"))).value().front().as_object();
    const std::string name = "serviceoffers.obol.org: ";
    CHECK(says(world.visit(&examine_crds), "ok " + name + "its schema is that of this program"));
    json::object& version = live["spec"].as_object()["versions"].as_array()[0].as_object();
    json::object& schema = version["schema"].as_object()["openAPIV3Schema"].as_object();
    schema["properties"].as_object()["spec"].as_object()["properties"].as_object().erase("upstream");
    CHECK(says(world.visit(&examine_crds), "openAPIV3Schema.properties.spec.properties.upstream\n"));
}

TEST_CASE("doctor names the right that it lacks, and offers that others hold", "[cli][doctor]")
{
    doctor_world world;
    json::object held = sold_offer("old");
    held["metadata"].as_object()["finalizers"] = json::array{"monetize.obol.org/finalizer"};
    json::object left = sold_offer("left");
    left["metadata"].as_object()["finalizers"] =
        json::array{"obol.org/portitor", "obol.org/serviceoffer-cleanup"};
    world.cluster.lists["serviceoffers"] = {held, left};
    world.read_market();
    world.cluster.forbidden = {"customresourcedefinitions", "validatingadmissionpolicies"};
    const auto found = world.visit(&examine_crds);
    CHECK(says(
        found, "not checked paymentroutes.obol.org: the right to get customresourcedefinitions is missing"
    ));
    CHECK(says(found, "the right to list validatingadmissionpolicies is missing"));
    CHECK(says(found, "warning offers of the predecessor: 1 offers are held by its controller"));
    CHECK(says(found, "warning finalizers of others: 1 offers have one"));
}

TEST_CASE("doctor asks for the rights of the accounts that the Deployments name", "[cli][doctor]")
{
    doctor_world world;
    world.cluster.lists["deployments"] = {object_of(R"({
        "metadata": {"namespace": "portitor", "name": "toll-verifier",
                     "labels": {"app.kubernetes.io/component": "verifier"}},
        "spec": {"template": {"spec": {"serviceAccountName": "gatekeeper"}}}})")};
    world.cluster.on_ask = [](const std::string&, const std::string& body) {
        const bool denied = body.find("paymentroutes") != body.npos && body.find("\"watch\"") != body.npos &&
                            body.find("gatekeeper") != body.npos;
        return answer(201, denied ? R"({"status": {"allowed": false}})" : R"({"status": {"allowed": true}})");
    };
    const auto found = world.visit(&examine_rights);
    CHECK(says(found, "ok doctor: it may look at everything"));
    CHECK(says(found, "ok controller (portitor/portitor-controller): it has every right"));
    CHECK(says(found, "failure verifier (portitor/gatekeeper): it may not watch paymentroutes.obol.org\n"));
    world.cluster.on_ask = [](const std::string& target, const std::string&) {
        return answer(target.ends_with("/subjectaccessreviews") ? 403 : 201, R"({"status": {}})");
    };
    const auto lacking = world.visit(&examine_rights);
    CHECK(says(lacking, "info doctor: what takes other rights is not checked: list serviceoffers.obol.org, ")
    );
    CHECK(says(lacking, "list pods in the release's namespace"));
    CHECK(says(lacking, "not checked registrar (portitor/portitor-registrar): the right to create"));
}

TEST_CASE("doctor looks at pods, images and Leases of the roles", "[cli][doctor]")
{
    doctor_world world;
    const auto deployment = [](const std::string& role, const std::string& image, int ready) {
        return object_of(fmt::format(
            R"({{"metadata": {{"namespace": "portitor", "name": "portitor-{0}", "generation": 1,
                 "labels": {{"app.kubernetes.io/component": "{0}"}}}},
                "spec": {{"replicas": 2, "template": {{"spec": {{"containers": [
                  {{"name": "{0}", "image": "{1}"}}, {{"name": "mesh", "image": "envoy"}}]}}}}}},
                "status": {{"readyReplicas": {2}, "updatedReplicas": 2, "observedGeneration": 1}}}})",
            role,
            image,
            ready
        ));
    };
    world.cluster.lists["deployments"] = {
        deployment("controller", "portitor:2", 2), deployment("verifier", "portitor:1", 0)};
    world.cluster.lists["pods"] = {object_of(R"({
        "metadata": {"namespace": "portitor", "name": "portitor-verifier-0"},
        "status": {"containerStatuses": [
          {"restartCount": 7, "lastState": {"terminated": {"reason": "OOMKilled"}}}]}})")};
    world.cluster.objects["leases/portitor/portitor-controller"] = object_of(
        R"({"metadata": {"namespace": "portitor", "name": "portitor-controller"},
            "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": ")" +
        world.ago(std::chrono::seconds(600)) + R"("}})"
    );
    const auto account = [&](const std::string& address, const std::string& holder, int seconds_ago) {
        return object_of(fmt::format(
            R"({{"metadata": {{"namespace": "portitor", "name": "portitor-registrar-8453-{}"}},
                "spec": {{"holderIdentity": "{}", "leaseDurationSeconds": 15, "renewTime": "{}"}}}})",
            address,
            holder,
            world.ago(std::chrono::seconds(seconds_ago))
        ));
    };
    world.cluster.lists["leases"] = {
        account("aa", "two", 1), account("bb", "three", 600), account("cc", "", 1)};
    const auto found = world.visit(&examine_roles);
    CHECK(says(found, "ok Deployment portitor-controller: 2 of 2 pods are ready"));
    CHECK(says(found, "failure Deployment portitor-verifier: 0 of 2 pods are ready"));
    CHECK(says(found, "warning image: the roles have several: portitor:1, portitor:2\n"));
    CHECK(says(found, "warning Pod portitor-verifier-0: it has been restarted 7 times, last after OOMKilled")
    );
    CHECK(says(found, "failure Lease portitor-controller: held by one, renewed 10m ago"));
    CHECK(says(found, "ok Lease portitor-registrar-8453-aa: held by two, renewed 1s ago"));
    CHECK(says(found, "warning Lease portitor-registrar-8453-bb: held by three, renewed 10m ago"));
    CHECK_FALSE(says(found, "8453-cc"));

    world.cluster.lists["leases"] = {account("cc", "", 1)};
    CHECK(says(world.visit(&examine_roles), "info Leases of the registrar: it holds none"));

    const auto with_spent = [&](const std::string& text) {
        json::object lease = account("aa", "two", 1);
        lease["metadata"].as_object()["annotations"] = json::object{{"obol.org/spent", text}};
        world.cluster.lists["leases"] = {lease};
        return world.visit(&examine_roles);
    };
    CHECK_FALSE(says(
        with_spent(R"({"day":"2026-11-24","changes":{},"retirements":{},"minedNonces":7})"), "cannot be read"
    ));
    for (const char* text : {"", "{}", R"({"day":"soon","changes":{},"retirements":{},"minedNonces":7})"})
        CHECK(says(
            with_spent(text),
            "failure Lease portitor-registrar-8453-aa: its annotation obol.org/spent cannot be read"
        ));
}

TEST_CASE("times at the ends of the clock are told, and overflow nothing", "[cli][doctor]")
{
    doctor_world world;
    json::object dying = sold_offer("dying");
    dying["metadata"].as_object()["deletionTimestamp"] = "0001-01-01T00:00:00Z";
    json::object unborn = sold_offer("unborn");
    unborn["status"] = json::object();
    unborn["metadata"].as_object()["creationTimestamp"] = "9999-12-31T23:59:59Z";
    world.cluster.lists["serviceoffers"] = {dying, unborn};
    world.read_market();
    const auto found = world.visit(&examine_offers);
    CHECK(says(found, "failure deletion: 1 offers wait for it longer than the deadline: shop/dying ("));
    CHECK(says(
        found, "warning no condition of this generation: one offer is not Ready, for 0s at most: shop/unborn"
    ));

    const auto lease = [&](const std::string& renewed) {
        world.cluster.objects["leases/portitor/portitor-controller"] = object_of(
            R"({"metadata": {"namespace": "portitor", "name": "portitor-controller"},
                "spec": {"holderIdentity": "one", "leaseDurationSeconds": 9223372036854775807, "renewTime": ")" +
            renewed + R"("}})"
        );
        return world.visit(&examine_roles);
    };
    CHECK(says(
        lease("9999-12-31T23:59:59.000000Z"), "ok Lease portitor-controller: held by one, renewed 0s ago"
    ));
    CHECK(says(lease("0001-01-01T00:00:00.000000Z"), "Lease portitor-controller: held by one, renewed "));
}

TEST_CASE("doctor groups what is not sold by its cause", "[cli][doctor]")
{
    doctor_world world;
    const auto broken = [&](const std::string& name, const std::string& reason, int hours) {
        json::object out = sold_offer(name);
        json::array& all = out["status"].as_object()["conditions"].as_array();
        all[0].as_object()["status"] = "False";
        all.push_back(object_of(fmt::format(
            R"({{"type": "PaymentGateReady", "status": "False", "reason": "{}", "message": "why",
                "observedGeneration": 1, "lastTransitionTime": "{}"}})",
            reason,
            world.ago(std::chrono::hours(hours))
        )));
        return out;
    };
    json::object dying = sold_offer("dying");
    dying["metadata"].as_object()["deletionTimestamp"] = world.ago(std::chrono::hours(1));
    world.cluster.lists["serviceoffers"] = {
        broken("a", "NotAdmitted", 3),
        broken("b", "NotAdmitted", 5),
        broken("c", "NotAdmitted", 3),
        broken("d", "NotAdmitted", 3),
        broken("e", "InvalidPrice", 3),
        broken("f", "WrongChecksum", 3),
        broken("g", "TimeoutTooShort", 3),
        dying,
        sold_offer("well")};
    json::object refused = payment_route("a", "https://www.x402.org/facilitator");
    refused["status"] = json::object();
    world.cluster.lists["paymentroutes"] = {
        refused, payment_route("well", "https://www.x402.org/facilitator")};
    world.cluster.lists["registrationrequests"] = {object_of(
        R"({"metadata": {"namespace": "shop", "name": "a-registration"},
            "status": {"phase": "Failed", "errorMessage": "no funds"}})"
    )};
    world.read_market();
    const auto found = world.visit(&examine_offers);
    CHECK(says(
        found,
        "failure PaymentGateReady NotAdmitted: 4 offers are not Ready, for 5h at most: shop/a, shop/b, "
        "shop/c and 1 more\n"
    ));
    CHECK(says(found, "warning PaymentGateReady InvalidPrice: one offer is not Ready, for 3h at most: shop/e")
    );
    CHECK(says(found, "failure deletion: 1 offers wait for it longer than the deadline: shop/dying (60m)"));
    CHECK(says(found, "warning PaymentGateReady WrongChecksum: one offer is not Ready"));
    CHECK(says(found, "warning PaymentGateReady TimeoutTooShort: one offer is not Ready"));
    CHECK(says(found, "failure PaymentRoutes: 1 are not admitted: shop/a-payment"));
    CHECK(says(found, "warning RegistrationRequests: one is not registered, for "));
}

TEST_CASE("what a seller mends is no failure of the installation", "[cli][doctor]")
{
    const auto told = [](const std::string& reason) {
        doctor_world world;
        json::object broken = sold_offer("a");
        json::array& all = broken["status"].as_object()["conditions"].as_array();
        all[0].as_object()["status"] = "False";
        all.push_back(object_of(fmt::format(
            R"({{"type": "PaymentGateReady", "status": "False", "reason": "{}", "message": "why",
                "observedGeneration": 1, "lastTransitionTime": "{}"}})",
            reason,
            world.ago(std::chrono::hours(3))
        )));
        world.cluster.lists["serviceoffers"] = {broken, sold_offer("well")};
        world.read_market();
        return world.visit(&examine_offers);
    };
    const std::vector<std::string> of_sellers{
        "UnknownNetwork",
        "UnknownAsset",
        "UnsupportedAsset",
        "UnsupportedSettlement",
        "UnknownFacilitator",
        "UnknownCredential",
        "WrongChecksum",
        "TimeoutTooShort",
        "ExternalNameUpstream",
        "HostNotAllowed",
        "TooManyOffers",
        "PathConflict",
        "CrossNamespaceUpstream",
        "ReservedPath",
        "NameTaken",
        "UnpaidRoute",
        "NotSold",
        "NotSelected",
        "InvalidSpec",
        "Unhealthy"};
    for (const std::string& reason : of_sellers)
    {
        CAPTURE(reason);
        const auto found = told(reason);
        CHECK(says(found, fmt::format("warning PaymentGateReady {}: one offer is not Ready", reason)));
        CHECK_FALSE(says(found, "failure"));
    }
    for (const char* reason : {"ForeignRoute", "GateOpen", "NetworkNotServed", "NoGateKey", "NoGateway"})
    {
        CAPTURE(reason);
        CHECK(says(told(reason), fmt::format("failure PaymentGateReady {}", reason)));
    }
}

TEST_CASE("offers that are left alone are not among those that are to be sold", "[cli][doctor]")
{
    doctor_world world;
    json::object held = sold_offer("held");
    held["metadata"].as_object()["finalizers"] = json::array{"monetize.obol.org/finalizer"};
    held["status"] = json::object();
    world.cluster.lists["serviceoffers"] = {held, sold_offer("well")};
    world.read_market();
    CHECK(says(world.visit(&examine_offers), "ok Ready: all of 1 offers that are to be sold"));
}

TEST_CASE("doctor groups what is not registered by its cause", "[cli][doctor]")
{
    doctor_world world;
    const auto request =
        [&](const std::string& name, const std::string& phase, const std::string& reason, int minutes) {
            return object_of(fmt::format(
                R"({{"metadata": {{"namespace": "shop", "name": "{}", "creationTimestamp": "{}"}},
                "status": {{"phase": "{}", "conditions": [
                  {{"type": "Registered", "status": "Unknown", "reason": "{}", "message": "of {}",
                    "lastTransitionTime": "{}"}}]}}}})",
                name,
                world.ago(std::chrono::hours(9)),
                phase,
                reason,
                reason,
                world.ago(std::chrono::minutes(minutes))
            ));
        };
    auto& all = world.cluster.lists["registrationrequests"];
    all = {
        request("well", "Confirmed", "Confirmed", 90),
        request("ended", "Retired", "Retired", 90),
        request("new", "Pending", "LowBalance", 0),
        request("slow", "Submitted", "Submitted", 30),
        request("keyless", "OffChainOnly", "NoKey", 30)};
    world.read_market();
    auto found = world.visit(&examine_offers);
    CHECK(says(found, "ok RegistrationRequests: none of 5 is held up\n"));
    CHECK(says(found, "info RegistrationRequests NoKey: one is off chain, for 30m at most: shop/keyless\n"));
    CHECK(says(found, "info RegistrationRequests Submitted: one is waiting, for 30m at most: shop/slow\n"));

    all = {
        request("a", "Pending", "LowBalance", 30),
        request("b", "Pending", "LowBalance", 300),
        request("c", "Failed", "NotOwner", 0)};
    json::object unseen = request("d", "", "", 0);
    unseen.erase("status");
    all.push_back(unseen);
    world.read_market();
    found = world.visit(&examine_offers);
    CHECK(says(
        found, "warning RegistrationRequests LowBalance: 2 are waiting, for 5h at most: shop/a, shop/b\n"
    ));
    CHECK(
        says(found, "warning RegistrationRequests NotOwner: one is not registered, for 0s at most: shop/c\n")
    );
    CHECK(says(found, "warning RegistrationRequests: one is waiting, for 9h at most: shop/d\n"));
    CHECK_FALSE(says(found, "is held up"));
}

TEST_CASE("without the offers the areas that need them say so", "[cli][doctor]")
{
    doctor_world world;
    for (const examiner area : {&examine_offers, &examine_bypasses, &examine_gate})
        CHECK(says(world.visit(area), "there is no market"));
}
