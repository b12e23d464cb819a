#include "offer/parent_word.hpp"

#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

bool names_gateway(const json::object& parent_ref, const kube::object& route, const plan_settings& settings)
{
    return kube::string_or(parent_ref, "group", api::http_route_resource.group) ==
               api::http_route_resource.group &&
           kube::string_or(parent_ref, "kind", "Gateway") == "Gateway" &&
           kube::string_at(parent_ref, "name") == settings.gateway.gateway.name &&
           kube::string_or(parent_ref, "namespace", route.meta.ns) == settings.gateway.gateway.ns;
}

bool speaks_for_gateway(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    return kube::string_at(entry, "controllerName") == settings.gateway.controller &&
           names_gateway(kube::object_at(entry, "parentRef"), route, settings);
}

std::optional<kube::condition>
present_word(const json::object& entry, const kube::object& route, std::string_view type)
{
    const auto conditions = kube::parse_conditions(entry);
    const kube::condition* said = kube::find_condition(conditions, type);
    if (!said || said->observed_generation != route.meta.generation)
        return std::nullopt;
    return *said;
}

bool is_judged(const kube::object& route, const plan_settings& settings)
{
    const json::array& parents = kube::array_at(route.status(), "parents");
    return std::any_of(parents.begin(), parents.end(), [&](const json::value& each) {
        const json::object& entry = kube::as_object(each);
        return speaks_for_gateway(entry, route, settings) && present_word(entry, route, "Accepted");
    });
}

}  // namespace portitor::offer
