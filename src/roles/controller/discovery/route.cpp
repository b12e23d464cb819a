#include "roles/controller/discovery/route.hpp"

#include "offer/children.hpp"
#include "offer/hosts.hpp"
#include "roles/controller/discovery/documents.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace portitor::controller {

namespace json = boost::json;

namespace {

// So many hostnames an HTTPRoute may have.
constexpr std::size_t most_hosts = 16;

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

host_shares share_hosts(
    const std::map<std::string, std::size_t>& hosts, const host_shares& held, const std::set<unsigned>& taken
)
{
    host_shares out;
    std::set<std::string> left;
    for (const auto& [host, count] : hosts)
        left.insert(host);
    for (const auto& [number, some] : held)
    {
        if (number == 1 || taken.contains(number))
            continue;
        for (const std::string& each : some)
        {
            if (out[number].size() < most_hosts && left.erase(each) != 0)
                out[number].push_back(each);
        }
    }
    std::erase_if(out, [](const auto& each) { return each.second.empty(); });
    for (unsigned number = 2; !left.empty(); ++number)
    {
        if (taken.contains(number))
            continue;
        while (!left.empty() && out[number].size() < most_hosts)
            out[number].push_back(left.extract(left.begin()).value());
    }
    return out;
}

std::string discovery_route_name(unsigned number)
{
    return number == 1 ? std::string(api::discovery_route_name)
                       : fmt::format("{}-{}", api::discovery_route_name, number);
}

std::optional<unsigned> discovery_route_number(std::string_view name)
{
    const std::string_view first = api::discovery_route_name;
    if (name == first)
        return 1;
    unsigned number = 0;
    const char* last = name.data() + name.size();
    if (name.size() > first.size() + 1)
        std::from_chars(name.data() + first.size() + 1, last, number);
    return number > 1 && name == discovery_route_name(number) ? std::optional(number) : std::nullopt;
}

std::vector<std::string> hosts_of_public_route(const offer::plan_settings& settings)
{
    return offer::hostnames_of(api::service_offer(), settings);
}

std::vector<std::string> hosts_of_route(const kube::object& live)
{
    std::vector<std::string> out;
    for (const json::value& each : kube::array_at(live.spec(), "hostnames"))
    {
        if (each.is_string())
            out.emplace_back(std::string_view(each.get_string()));
    }
    return out;
}

json::object desired_discovery_route(
    const kube::object_meta& service,
    std::uint16_t port,
    const offer::plan_settings& settings,
    unsigned number,
    const std::vector<std::string>& hosts
)
{
    json::array hostnames;
    for (const std::string& each : hosts)
        hostnames.emplace_back(each);
    // No controller and no blockOwnerDeletion: the Service need not wait for us, and we need no right on it.
    json::object owner{
        {"apiVersion", "v1"}, {"kind", "Service"}, {"name", service.name}, {"uid", service.uid}};
    json::object metadata{
        {"name", discovery_route_name(number)},
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
          {"hostnames", std::move(hostnames)},
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
