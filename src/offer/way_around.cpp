#include "offer/way_around.hpp"

#include "offer/hosts.hpp"
#include "offer/parent_word.hpp"
#include "offer/place.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// The names of the Middlewares that a rule goes through. Filters of a single backend do not count: not every
// version of Traefik runs them.
std::vector<std::string> middlewares_of(const json::object& rule)
{
    std::vector<std::string> out;
    for (const json::value& each : kube::array_at(rule, "filters"))
    {
        const json::object& filter = kube::as_object(each);
        if (kube::string_at(filter, "extensionRef.group") == api::middleware_resource.group &&
            kube::string_at(filter, "extensionRef.kind") == api::middleware_resource.kind)
            out.push_back(kube::string_at(filter, "extensionRef.name"));
    }
    return out;
}

// The Middleware of the offer that a route says it was made for; empty where it says nothing of the kind.
std::string own_middleware(const kube::object& route)
{
    const kube::owner_reference* owner = api::owning_offer(route.meta);
    if (!owner || route.meta.name != api::http_route_name(owner->name))
        return {};
    return api::middleware_name(owner->name);
}

// Portitor sees to it that its own Middlewares are there and ask the verifier.
bool is_as_we_write_it(const json::object& rule, const std::string& own)
{
    const auto names = middlewares_of(rule);
    return !own.empty() && std::find(names.begin(), names.end(), own) != names.end();
}

// The rules of a route that Portitor would not write.
std::vector<const json::object*> rules_of_others(const kube::object& route)
{
    std::vector<const json::object*> out;
    const std::string own = own_middleware(route);
    for (const json::value& each : kube::array_at(route.spec(), "rules"))
    {
        if (!is_as_we_write_it(kube::as_object(each), own))
            out.push_back(&kube::as_object(each));
    }
    return out;
}

// The Service that a backend stands for; nothing for other kinds, and for what gets no request.
std::optional<kube::object_key> service_of(const json::object& backend, const kube::object& route)
{
    if (!kube::string_at(backend, "group").empty() ||
        kube::string_or(backend, "kind", "Service") != "Service" || kube::int_at(backend, "weight", 1) == 0)
        return std::nullopt;
    return kube::object_key{
        kube::string_or(backend, "namespace", route.meta.ns), kube::string_at(backend, "name")};
}

bool leads_to(const json::object& rule, const kube::object& route, const api::service_offer& offer)
{
    const kube::object_key wanted{offer.upstream.ns, offer.upstream.service};
    const json::array& backends = kube::array_at(rule, "backendRefs");
    return std::any_of(backends.begin(), backends.end(), [&](const json::value& each) {
        return service_of(kube::as_object(each), route) == wanted &&
               kube::int_at(kube::as_object(each), "port") == offer.upstream.port;
    });
}

bool asks_verifier(const kube::object& middleware, const plan_settings& settings)
{
    const std::string address = kube::string_at(middleware.spec(), "forwardAuth.address");
    const std::string gate = settings.gateway.verifier_url + "/verify";
    return !settings.gateway.verifier_url.empty() && (address == gate || address.starts_with(gate + "/"));
}

bool is_paid(
    const json::object& rule,
    const kube::object& route,
    const plan_settings& settings,
    const middleware_finder& find
)
{
    const auto names = middlewares_of(rule);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        const kube::object_ptr found = find({route.meta.ns, name});
        return !found || asks_verifier(*found, settings);
    });
}

bool shares_host(const kube::object& route, const api::service_offer& offer, const plan_settings& settings)
{
    const json::array& theirs = kube::array_at(route.spec(), "hostnames");
    const std::vector<std::string> ours = hostnames_of(offer, settings);
    return theirs.empty() || ours.empty() ||
           std::any_of(theirs.begin(), theirs.end(), [&](const json::value& each) {
               return each.is_string() && std::any_of(ours.begin(), ours.end(), [&](const std::string& host) {
                          return hosts_overlap(std::string_view(each.get_string()), host);
                      });
           });
}

// The match as it stands in messages, where a request for it can be one for the offer's paths.
std::optional<std::string> overlap(const json::object& match, const api::service_offer& offer)
{
    const std::string type = kube::string_or(match, "path.type", "PathPrefix");
    const std::string value = kube::string_or(match, "path.value", "/");
    const std::string theirs = normal_path(value);
    const std::string ours = normal_path(offer.path);
    const bool below = is_at_or_below(theirs, ours);
    const bool overlaps = type == "Exact"        ? below
                          : type == "PathPrefix" ? below || is_at_or_below(ours, theirs)
                                                 : true;
    return overlaps ? std::optional(type + " " + value) : std::nullopt;
}

std::optional<std::string> first_overlap(const json::object& rule, const api::service_offer& offer)
{
    const json::array& matches = kube::array_at(rule, "matches");
    if (matches.empty())
        return overlap({}, offer);
    for (const json::value& each : matches)
    {
        if (auto found = overlap(kube::as_object(each), offer))
            return found;
    }
    return std::nullopt;
}

}  // namespace

bool is_attached(const kube::object& route, const plan_settings& settings)
{
    const json::array& parents = kube::array_at(route.spec(), "parentRefs");
    return std::any_of(parents.begin(), parents.end(), [&](const json::value& each) {
        const json::object& parent = kube::as_object(each);
        const std::string section = kube::string_at(parent, "sectionName");
        return names_gateway(parent, route, settings) &&
               (section.empty() || settings.gateway.section.empty() || section == settings.gateway.section);
    });
}

std::vector<std::string> open_backends(const kube::object& route)
{
    std::vector<std::string> out;
    for (const json::object* rule : rules_of_others(route))
    {
        for (const json::value& backend : kube::array_at(*rule, "backendRefs"))
        {
            if (const auto service = service_of(kube::as_object(backend), route))
                out.push_back(service->to_string());
        }
    }
    return out;
}

std::vector<std::string> deciding_middlewares(const kube::object& route)
{
    std::vector<std::string> out;
    for (const json::object* rule : rules_of_others(route))
    {
        for (const std::string& name : middlewares_of(*rule))
            out.push_back(kube::object_key{route.meta.ns, name}.to_string());
    }
    return out;
}

std::string find_way_around(
    const kube::object& route,
    const api::service_offer& offer,
    const plan_settings& settings,
    const middleware_finder& find
)
{
    if (!is_attached(route, settings) || !shares_host(route, offer, settings))
        return {};
    const std::string own = own_middleware(route);
    const json::array& rules = kube::array_at(route.spec(), "rules");
    for (std::size_t i = 0; i < rules.size(); ++i)
    {
        const json::object& rule = kube::as_object(rules[i]);
        if (is_as_we_write_it(rule, own) || !leads_to(rule, route, offer) ||
            is_paid(rule, route, settings, find))
            continue;
        if (const auto match = first_overlap(rule, offer))
            return fmt::format("HTTPRoute {}, spec.rules[{}] ({})", route.meta.key().to_string(), i, *match);
    }
    return {};
}

}  // namespace portitor::offer
