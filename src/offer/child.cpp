#include "offer/child.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::offer {

const std::array<child_type, child_count> child_types{{
    {child_kind::payment_route,
     api::payment_route_resource,
     &api::payment_route_name,
     api::condition_type::payment_gate_ready},
    {child_kind::middleware,
     api::middleware_resource,
     &api::middleware_name,
     api::condition_type::payment_gate_ready},
    {child_kind::cors,
     api::middleware_resource,
     &api::cors_middleware_name,
     api::condition_type::payment_gate_ready},
    {child_kind::in_flight,
     api::middleware_resource,
     &api::in_flight_middleware_name,
     api::condition_type::payment_gate_ready},
    {child_kind::rate,
     api::middleware_resource,
     &api::rate_middleware_name,
     api::condition_type::payment_gate_ready},
    {child_kind::http_route,
     api::http_route_resource,
     &api::http_route_name,
     api::condition_type::route_published},
    {child_kind::registration,
     api::registration_request_resource,
     &api::registration_name,
     api::condition_type::registered},
}};

child_kind middleware_named(std::string_view name)
{
    for (const child_kind kind : optional_middlewares)
    {
        if (name.starts_with(type_of(kind).name_of("")))
            return kind;
    }
    return child_kind::middleware;
}

children find_children(const kube::object_identity& offer, const child_finder& find)
{
    children out;
    for (const child_type& type : child_types)
    {
        child& each = out[type.kind];
        each.live = find(type.kind, type.key_for(offer));
        each.ours = each.live && api::is_made_for(*each.live, offer);
    }
    return out;
}

}  // namespace portitor::offer
