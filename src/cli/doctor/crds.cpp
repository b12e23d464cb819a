#include "cli/doctor/looking.hpp"
#include "cli/yaml.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/schema/crd_schema.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource crds{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"};
constexpr kube::resource policies{
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"};
constexpr kube::resource bindings{
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding"};

constexpr const char* install = "install the chart with this kind in crds.install, or helm upgrade";

// Of those that sold in this API group before.
constexpr std::array foreign_finalizers{
    api::predecessors_finalizer, std::string_view("obol.org/serviceoffer-cleanup")};

// The short name of another kind, or whatever else the API server refused.
void judge_names(const std::string& name, const std::vector<kube::condition>& said, notebook& into)
{
    const kube::condition* names = kube::find_condition(said, "NamesAccepted");
    const kube::condition* established = kube::find_condition(said, "Established");
    if (names && !names->is_true())
        return into.failure(
            name,
            fmt::format("its names are not accepted ({}): {}", names->reason, names->message),
            "another custom resource has that name: kubectl get crd -o wide; remove that one, or its short "
            "name"
        );
    if (!established || !established->is_true())
        return into.failure(name, "it is not established: nothing of this kind is served", install);
    into.ok(name, "established, and its names are accepted");
}

void judge_versions(const std::string& name, const kube::object& crd, notebook& into)
{
    const std::string ours(api::service_offer_resource.version);
    bool served = false;
    for (const json::value& each : kube::array_at(crd.spec(), "versions"))
    {
        const json::object& version = kube::as_object(each);
        served = served || (kube::string_at(version, "name") == ours && kube::bool_at(version, "served"));
    }
    if (!served)
        return into.failure(name, fmt::format("version {} is not served", ours), install);
    std::vector<std::string> others;
    for (const json::value& each : kube::array_at(crd.status(), "storedVersions"))
    {
        if (each.is_string() && each.get_string() != ours)
            others.emplace_back(each.get_string());
    }
    if (!others.empty())
        into.warn(
            name,
            fmt::format("objects are also stored as {}", some_of(others)),
            fmt::format("write them anew as {}, then take the others off status.storedVersions", ours)
        );
}

/// The schema of our version in a CRD; null where it has none.
const json::object* schema_of(const json::object& crd)
{
    for (const json::value& each : kube::array_at(crd, "spec.versions"))
    {
        const json::object& version = kube::as_object(each);
        if (kube::string_at(version, "name") == api::service_offer_resource.version)
            return &kube::object_at(version, "schema.openAPIV3Schema");
    }
    return nullptr;
}

/// Where two values differ first, as a dotted path; nothing where they do not.
std::optional<std::string>
first_difference(const json::value& one, const json::value& other, const std::string& path)
{
    if (!one.is_object() || !other.is_object())
        return one == other ? std::nullopt : std::optional(path);
    for (const auto& [key, value] : one.get_object())
    {
        const std::string below = fmt::format("{}.{}", path, std::string_view(key));
        const json::value* match = other.get_object().if_contains(key);
        const auto found = match ? first_difference(value, *match, below) : std::optional(below);
        if (found)
            return found;
    }
    for (const auto& each : other.get_object())
    {
        if (!one.get_object().contains(each.key()))
            return fmt::format("{}.{}", path, std::string_view(each.key()));
    }
    return std::nullopt;
}

/// Whether the schema that is served is the one that this program carries.
void judge_schema(const std::string& name, std::string_view kind, const kube::object& crd, notebook& into)
{
    const auto carried = parse_yaml(std::string(schema::crd_text(kind)));
    const json::object* ours =
        carried && !carried->empty() ? schema_of(kube::as_object(carried->front())) : nullptr;
    const json::object* theirs = schema_of(crd.raw);
    if (!ours || !theirs)
        return;
    const auto difference = first_difference(*ours, *theirs, "openAPIV3Schema");
    if (difference)
        into.warn(
            name,
            fmt::format(
                "its schema is not that of this program (version {}): {}", PORTITOR_VERSION, *difference
            ),
            "helm upgrade with this kind in crds.install, or use the program of the release's version: what "
            "a schema does not know is dropped, and beside the predecessor's own nothing is registered"
        );
    else
        into.ok(name, "its schema is that of this program");
}

/// Whoever uninstalls the release that a CRD belongs to takes all objects of the kind along.
void judge_release(const std::string& name, const kube::object& crd, const std::string& ours, notebook& into)
{
    const auto annotation = [&](std::string_view key) {
        // The keys hold points, so they are no paths.
        const json::value* found = kube::object_at(crd.raw, "metadata.annotations").if_contains(key);
        return found && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    const std::string release = annotation("meta.helm.sh/release-name");
    const std::string ns = annotation("meta.helm.sh/release-namespace");
    if (!release.empty() && ns != ours)
        into.info(
            name,
            fmt::format(
                "it belongs to the Helm release {} in namespace {}: to uninstall that one deletes every "
                "object of this kind",
                release,
                ns
            ),
            "before that, helm upgrade Portitor with --take-ownership and this kind in crds.install"
        );
}

asio::awaitable<void> look_at_own(const patient& of, kube::resource kind, notebook& into)
{
    const std::string name = fmt::format("{}.{}", kind.plural, kind.group);
    const auto crd = co_await of.server.get(crds, {"", name});
    if (!crd && crd.error().is_not_found())
    {
        into.failure(name, "this custom resource is not there", install);
        co_return;
    }
    if (!crd)
    {
        into.unseen(name, crd.error(), "get customresourcedefinitions");
        co_return;
    }
    judge_names(name, kube::parse_conditions((*crd)->status()), into);
    judge_versions(name, **crd, into);
    judge_schema(name, kind.kind, **crd, into);
    judge_release(name, **crd, of.release, into);
}

/// Whoever may log in may ask which kinds there are.
asio::awaitable<void>
look_at_served(const patient& of, kube::resource kind, const char* whose, notebook& into)
{
    const std::string check = fmt::format("{} {}", kind.kind, kind.api_version());
    const auto said = co_await ask(of.server, http::verb::get, "/apis/" + kind.api_version());
    if (!said && said.error().code() != errc::not_found)
    {
        into.not_checked(check, said.error().message());
        co_return;
    }
    const json::array none;
    const json::array& kinds = said ? kube::array_at(*said, "resources") : none;
    const bool is_served = std::any_of(kinds.begin(), kinds.end(), [&](const json::value& each) {
        return kube::string_at(kube::as_object(each), "name") == kind.plural;
    });
    if (is_served)
        into.ok(check, "served");
    else
        into.failure(check, "the API server does not serve it", fmt::format("install the CRDs of {}", whose));
}

/// Specs that nobody but the controller may write, and statuses that nobody but the roles may write.
asio::awaitable<void> look_at_policies(const patient& of, notebook& into)
{
    constexpr const char* check = "admission policies";
    kube::selection ours;
    ours.labels = "app.kubernetes.io/part-of=portitor";
    const auto found = co_await list(of.server, policies, ours);
    const auto bound = co_await list(of.server, bindings, ours);
    if (!found || !bound)
    {
        if (!found)
            into.unseen(check, found.error(), "list validatingadmissionpolicies");
        else
            into.unseen(check, bound.error(), "list validatingadmissionpolicybindings");
        co_return;
    }
    if (found->size() < 3 || bound->size() < found->size())
        into.warn(
            check,
            fmt::format(
                "{} policies and {} bindings are there, of 3 each: whoever may write PaymentRoutes and "
                "RegistrationRequests sets prices and spends gas",
                found->size(),
                bound->size()
            ),
            "helm upgrade with admissionPolicy.enabled=true"
        );
    else
        into.ok(check, "specs and statuses of Portitor's own objects are guarded");
}

void look_for_foreign_finalizers(const patient& of, notebook& into)
{
    if (!of.market)
        return;
    std::vector<std::string> held;
    std::vector<std::string> left_alone;
    for (const auto& [key, offer] : of.market->offers())
    {
        if (api::is_held_by_predecessor(offer->meta))
            left_alone.push_back(key.to_string());
        else if (std::any_of(
                     foreign_finalizers.begin(),
                     foreign_finalizers.end(),
                     [&](std::string_view each) { return offer->meta.has_finalizer(each); }
                 ))
            held.push_back(key.to_string());
    }
    if (!left_alone.empty())
        into.warn(
            "offers of the predecessor",
            fmt::format(
                "{} offers are held by its controller ({}) and left alone: {}",
                left_alone.size(),
                api::predecessors_finalizer,
                some_of(left_alone)
            ),
            "stop that controller and take its finalizer off, and they are sold here: kubectl patch "
            "serviceoffer NAME -n NAMESPACE --type=json -p '[{\"op\":\"remove\",\"path\":"
            "\"/metadata/finalizers\"}]'"
        );
    if (!held.empty())
        into.warn(
            "finalizers of others",
            fmt::format(
                "{} offers have one of a controller that served this API group before: {}",
                held.size(),
                some_of(held)
            ),
            "deleted, they wait for it for ever where it runs no more: take the finalizer off then"
        );
}

}  // namespace

asio::awaitable<void> examine_crds(const patient& of, notebook& into)
{
    constexpr std::array own{
        api::service_offer_resource, api::payment_route_resource, api::registration_request_resource};
    for (const kube::resource& each : own)
        co_await look_at_own(of, each, into);
    for (const kube::resource& each : own)
        co_await look_at_served(of, each, "Portitor", into);
    co_await look_at_served(of, api::http_route_resource, "the Gateway API", into);
    co_await look_at_served(of, api::reference_grant_resource, "the Gateway API", into);
    co_await look_at_served(of, api::middleware_resource, "Traefik", into);
    co_await look_at_policies(of, into);
    look_for_foreign_finalizers(of, into);
}

}  // namespace portitor::cli::doctor
