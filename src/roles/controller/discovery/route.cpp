#include "roles/controller/discovery/route.hpp"

#include "offer/children.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::controller {

namespace json = boost::json;

namespace {

json::object match(const char* type, std::string_view path)
{
    return {{"path", {{"type", type}, {"value", path}}}};
}

json::object route_rule(const kube::object_meta& service, std::uint16_t port)
{
    return {
        {"matches",
         json::array{
             match("Exact", registrations_path),
             match("Exact", services_path),
             match("PathPrefix", registration_folder)}},
        {"backendRefs", json::array{offer::backend_reference(service.name, port)}},
    };
}

}  // namespace

json::object desired_discovery_route(
    const kube::object_meta& service, std::uint16_t port, const offer::plan_settings& settings
)
{
    // No controller and no blockOwnerDeletion: the Service need not wait for us, and we need no right on it.
    json::object owner{
        {"apiVersion", "v1"}, {"kind", "Service"}, {"name", service.name}, {"uid", service.uid}};
    json::object metadata{
        {"name", api::discovery_route_name},
        {"namespace", service.ns},
        {"labels", {{api::managed_by_label, api::managed_by_value}}},
        {"ownerReferences", json::array{std::move(owner)}},
    };
    return offer::stamped({
        {"apiVersion", api::http_route_resource.api_version()},
        {"kind", api::http_route_resource.kind},
        {"metadata", std::move(metadata)},
        {"spec",
         {{"parentRefs", json::array{offer::parent_reference(settings)}},
          {"hostnames", json::array()},
          {"rules", json::array{route_rule(service, port)}}}},
    });
}

bool is_discovery_route(const kube::object& live, const kube::object_meta& service)
{
    const auto* label = kube::labels_of(live).if_contains(api::managed_by_label);
    const auto* annotations = kube::find_path(live.raw, "metadata.annotations");
    const auto& owners = live.meta.owners;
    return (label && *label == json::value(api::managed_by_value)) ||
           (annotations && annotations->is_object() &&
            annotations->get_object().contains(api::desired_hash_annotation)) ||
           std::any_of(owners.begin(), owners.end(), [&](const kube::owner_reference& each) {
               return each.uid == service.uid;
           });
}

}  // namespace portitor::controller
