#include "cli/doctor/needed_rights.hpp"

#include "cli/output/table.hpp"

#include <portitor/core/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <sstream>

namespace portitor::cli::doctor {

namespace {

struct rule
{
    std::string_view who;
    std::string_view group;
    std::string_view resource;
    std::string_view verbs;  ///< separated by spaces
    reach where = reach::everywhere;
    std::string_view name = {};
    needed when = needed::always;
};

constexpr std::string_view ours = "obol.org";
constexpr std::string_view gateways = "gateway.networking.k8s.io";
constexpr std::string_view traefik = "traefik.io";
constexpr std::string_view leases = "coordination.k8s.io";

constexpr std::array rules{
    rule{"controller", ours, "serviceoffers", "list watch patch"},
    rule{"controller", ours, "serviceoffers/status", "patch"},
    rule{"controller", ours, "serviceoffers/finalizers", "update"},
    rule{"controller", ours, "paymentroutes", "list watch create patch delete"},
    rule{"controller", ours, "registrationrequests", "get list watch create patch delete"},
    rule{"controller", gateways, "httproutes", "list watch create patch delete"},
    rule{"controller", gateways, "referencegrants", "list watch"},
    rule{"controller", traefik, "middlewares", "list watch create patch delete"},
    rule{"controller", "discovery.k8s.io", "endpointslices", "list watch"},
    rule{"controller", "", "services", "list watch"},
    rule{"controller", "", "events", "create patch"},
    rule{"controller", "", "namespaces", "list watch", reach::everywhere, "", needed::by_labels},
    rule{"controller", leases, "leases", "create", reach::release},
    rule{"controller", leases, "leases", "get update", reach::release, "portitor-controller"},
    rule{"controller", "", "services", "get", reach::release},

    rule{"verifier", ours, "paymentroutes", "list watch"},
    rule{"verifier", ours, "paymentroutes/status", "patch"},

    // Its key's Secrets are no part of this: the operator's is mounted, and a request's own is one of a list.
    rule{"registrar", ours, "registrationrequests", "list watch"},
    rule{"registrar", ours, "registrationrequests/status", "patch"},
    rule{"registrar", ours, "serviceoffers", "get"},
    rule{"registrar", "", "events", "create patch"},
    rule{"registrar", leases, "leases", "create get update patch", reach::release},

    rule{"doctor", ours, "serviceoffers", "list"},
    rule{"doctor", ours, "paymentroutes", "list"},
    rule{"doctor", ours, "registrationrequests", "list"},
    rule{"doctor", gateways, "httproutes", "list"},
    rule{"doctor", gateways, "referencegrants", "list"},
    rule{"doctor", gateways, "gateways", "get list"},
    rule{"doctor", gateways, "gatewayclasses", "get list"},
    rule{"doctor", traefik, "middlewares", "list"},
    rule{"doctor", traefik, "ingressroutes", "list"},
    rule{"doctor", "networking.k8s.io", "ingresses", "list"},
    rule{"doctor", "discovery.k8s.io", "endpointslices", "list"},
    rule{"doctor", "", "namespaces", "get list"},
    rule{"doctor", "", "services", "list"},
    rule{"doctor", "apiextensions.k8s.io", "customresourcedefinitions", "get"},
    rule{"doctor", "admissionregistration.k8s.io", "validatingadmissionpolicies", "list"},
    rule{"doctor", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", "list"},
    rule{"doctor", "authorization.k8s.io", "subjectaccessreviews", "create"},
    rule{"doctor", leases, "leases", "get", reach::release, "portitor-controller"},
    rule{"doctor", leases, "leases", "list", reach::release},
    rule{"doctor", "apps", "deployments", "list", reach::release},
    rule{"doctor", "", "pods", "list", reach::release},
    rule{"doctor", "", "pods/proxy", "get", reach::release},
    rule{"doctor", "apps", "deployments", "list", reach::gateway},
    rule{"doctor", "apps", "daemonsets", "list", reach::gateway},
};

std::vector<right> expanded()
{
    std::vector<right> out;
    for (const rule& each : rules)
    {
        std::istringstream verbs{std::string(each.verbs)};
        for (std::string verb; verbs >> verb;)
            out.push_back({each.who, verb, each.group, each.resource, each.where, each.name, each.when});
    }
    return out;
}

}  // namespace

const char* to_string(reach value) noexcept
{
    switch (value)
    {
    case reach::everywhere:
        return "everywhere";
    case reach::release:
        return "release";
    case reach::gateway:
        return "gateway";
    }
    return "";
}

const char* to_string(needed value) noexcept
{
    return value == needed::by_labels ? "hosts[].namespaceSelector" : "";
}

std::string right::to_string() const
{
    const auto slash = resource.find('/');
    std::string out = fmt::format("{} {}", verb, resource.substr(0, slash));
    if (!group.empty())
        out += fmt::format(".{}", group);
    if (slash != resource.npos)
        out += resource.substr(slash);
    if (!name.empty())
        out += fmt::format(" {}", name);
    if (where != reach::everywhere)
        out += fmt::format(" in the {}'s namespace", cli::doctor::to_string(where));
    return out;
}

const std::vector<right>& needed_rights()
{
    static const std::vector<right> all = expanded();
    return all;
}

std::string rights_in_text()
{
    table out({"WHO", "VERB", "RESOURCE", "GROUP", "WHERE", "NAME", "WHEN"});
    for (const right& each : needed_rights())
        out.add(
            {std::string(each.who),
             each.verb,
             std::string(each.resource),
             std::string(each.group),
             to_string(each.where),
             std::string(each.name),
             to_string(each.when)}
        );
    std::ostringstream text;
    out.print(text, palette(false));
    return text.str();
}

std::string rights_in_json()
{
    boost::json::array out;
    for (const right& each : needed_rights())
        out.push_back(boost::json::object{
            {"who", each.who},
            {"verb", each.verb},
            {"group", each.group},
            {"resource", each.resource},
            {"where", to_string(each.where)},
            {"name", each.name},
            {"when", to_string(each.when)}});
    return boost::json::serialize(out) + "\n";
}

}  // namespace portitor::cli::doctor
