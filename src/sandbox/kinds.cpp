#include "sandbox/kinds.hpp"

#include <portitor/api/resources.hpp>

#include <fmt/format.h>

namespace portitor::sandbox {

namespace {

constexpr kube::resource gateways{"gateway.networking.k8s.io", "v1", "gateways", "Gateway"};
constexpr kube::resource deployments{"apps", "v1", "deployments", "Deployment"};
constexpr kube::resource secrets{"", "v1", "secrets", "Secret"};

kind_info with_list(kind_info of, std::string path, std::string key)
{
    of.lists.push_back({std::move(path), std::move(key)});
    return of;
}

}  // namespace

std::string kind_info::id() const
{
    return fmt::format("{}/{}/{}", group, version, plural);
}

std::string kind_info::api_version() const
{
    return group.empty() ? version : fmt::format("{}/{}", group, version);
}

std::string kind_id(const kube::resource& of)
{
    return fmt::format("{}/{}/{}", of.group, of.version, of.plural);
}

kind_info make_kind(const kube::resource& of, bool has_status)
{
    kind_info out;
    out.group = of.group;
    out.version = of.version;
    out.plural = of.plural;
    out.kind = of.kind;
    out.has_status = has_status;
    return out;
}

std::vector<kind_info> installed_kinds()
{
    return {
        with_list(make_kind(api::service_offer_resource, true), ".spec.routes", "path"),
        make_kind(api::payment_route_resource, true),
        make_kind(api::registration_request_resource, true),
        make_kind(api::middleware_resource),
        make_kind(api::http_route_resource, true),
        make_kind(api::reference_grant_resource),
        with_list(make_kind(gateways, true), ".spec.listeners", "name"),
        make_kind(api::service_resource, true),
        make_kind(api::endpoint_slice_resource),
        make_kind(api::lease_resource),
        make_kind(api::event_resource),
        make_kind(deployments, true),
        make_kind(api::config_map_resource),
        make_kind(secrets),
    };
}

}  // namespace portitor::sandbox
