#include "offer/watch_filters.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;
using filter = kube::field_filter;

namespace {

// More than any child of ours can have: what somebody else made up to look like one costs no more.
constexpr std::size_t largest_middleware = 64 * 1024;
constexpr std::size_t largest_http_route = 256 * 1024;

filter::member label(std::string_view name)
{
    return {std::string(name), {}};
}

filter::member own_annotations()
{
    return {"annotations", filter::only({{std::string(api::desired_hash_annotation), {}}})};
}

filter::member metadata()
{
    return {
        "metadata",
        filter::all_but(
            {own_annotations(),
             {"labels", filter::only({label(api::offer_label), label(api::managed_by_label)})}}
        )};
}

bool has_member(const json::object& metadata, std::string_view of, std::string_view name)
{
    const json::value* found = metadata.if_contains(of);
    return found && found->is_object() && found->get_object().contains(name);
}

bool is_owned_by_offer(const json::object& metadata)
{
    const json::value* found = metadata.if_contains("ownerReferences");
    return found && found->is_array() &&
           std::any_of(found->get_array().begin(), found->get_array().end(), [](const json::value& each) {
               return each.is_object() &&
                      kube::string_at(each.get_object(), "kind") == api::service_offer_resource.kind;
           });
}

bool may_be_ours(const json::object& metadata, const std::string& prefix)
{
    const std::string name = kube::string_at(metadata, "name");
    return name.starts_with(prefix) || name.starts_with(api::discovery_route_name) ||
           has_member(metadata, "labels", api::offer_label) ||
           has_member(metadata, "labels", api::managed_by_label) ||
           has_member(metadata, "annotations", api::desired_hash_annotation) || is_owned_by_offer(metadata);
}

/// `others` is for what is not ours; `prefix` is what the names of ours begin with.
std::shared_ptr<const kube::object_filter> ours_whole(filter others, std::string prefix, std::size_t largest)
{
    static const filter whole = filter::all_but({metadata()});
    auto out = std::make_shared<kube::object_filter>();
    out->usual = std::move(others);
    out->largest = largest;
    out->choose = [prefix = std::move(prefix)](const json::object& metadata) {
        return may_be_ours(metadata, prefix) ? &whole : nullptr;
    };
    return out;
}

}  // namespace

std::shared_ptr<const kube::object_filter> own_kind_filter()
{
    return std::make_shared<const kube::object_filter>(kube::object_filter{filter::all_but({metadata()})});
}

std::shared_ptr<const kube::object_filter> labelled_kind_filter()
{
    const filter::member metadata{"metadata", filter::all_but({own_annotations()})};
    return std::make_shared<const kube::object_filter>(kube::object_filter{filter::all_but({metadata})});
}

std::shared_ptr<const kube::object_filter> middleware_filter()
{
    const filter spec = filter::only({{"forwardAuth", filter::only({{"address", {}}})}});
    return ours_whole(
        filter::all_but({metadata(), {"spec", spec}, {"status", filter::nothing()}}),
        api::middleware_name(""),
        largest_middleware
    );
}

std::shared_ptr<const kube::object_filter> http_route_filter()
{
    const filter backend = filter::only(
        {{"group", {}}, {"kind", {}}, {"name", {}}, {"namespace", {}}, {"port", {}}, {"weight", {}}}
    );
    const filter rule = filter::only(
        {{"matches",
          filter::only(
              {{"path", {}},
               {"method", {}},
               {"headers", filter::only({{"type", {}}})},
               {"queryParams", filter::only({{"type", {}}})}}
          )},
         {"filters", filter::only({{"type", {}}, {"extensionRef", {}}})},
         {"backendRefs", backend}}
    );
    const filter spec = filter::only({{"parentRefs", {}}, {"hostnames", {}}, {"rules", rule}});
    return ours_whole(
        filter::all_but({metadata(), {"spec", spec}, {"status", filter::nothing()}}),
        api::http_route_name(""),
        largest_http_route
    );
}

std::shared_ptr<const kube::object_filter> endpoint_slice_filter()
{
    const filter endpoint = filter::only({{"conditions", {}}});
    return std::make_shared<const kube::object_filter>(kube::object_filter{
        filter::all_but({metadata(), {"endpoints", endpoint}})});
}

std::shared_ptr<const kube::object_filter> namespace_filter()
{
    const filter meta = filter::all_but(
        {{"annotations", filter::nothing()},
         {"managedFields", filter::nothing()},
         {"ownerReferences", filter::nothing()}}
    );
    return std::make_shared<const kube::object_filter>(kube::object_filter{
        filter::all_but({{"metadata", meta}, {"spec", filter::nothing()}, {"status", filter::nothing()}})});
}

std::shared_ptr<const kube::object_filter> service_filter()
{
    const filter spec = filter::only({{"type", {}}, {"selector", {}}});
    return std::make_shared<const kube::object_filter>(kube::object_filter{
        filter::all_but({metadata(), {"spec", spec}, {"status", filter::nothing()}})});
}

kube::selection filtered(std::shared_ptr<const kube::object_filter> by)
{
    kube::selection out;
    out.filter = std::move(by);
    return out;
}

kube::selection child_selection(child_kind kind)
{
    switch (kind)
    {
    case child_kind::middleware:
    case child_kind::cors:
    case child_kind::in_flight:
    case child_kind::rate:
        return filtered(middleware_filter());
    case child_kind::http_route:
        return filtered(http_route_filter());
    case child_kind::payment_route:
    case child_kind::registration:
        break;
    }
    return filtered(own_kind_filter());
}

kube::selection endpoint_selection(const kube::object_key& service)
{
    kube::selection out = filtered(endpoint_slice_filter());
    out.ns = service.ns;
    out.labels = "kubernetes.io/service-name=" + service.name;
    return out;
}

}  // namespace portitor::offer
