#include "offer/reference_grant.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Whether one of the entries of a list of the spec passes.
template <typename Test>
bool any_entry(const kube::object& grant, std::string_view list, Test passes)
{
    const json::value* entries = grant.spec().if_contains(list);
    if (!entries || !entries->is_array())
        return false;
    const json::array& all = entries->get_array();
    return std::any_of(all.begin(), all.end(), [&](const json::value& each) {
        return each.is_object() && passes(each.get_object());
    });
}

}  // namespace

bool permits(const kube::object& grant, const std::string& from, const std::string& service)
{
    const bool known_from = any_entry(grant, "from", [&](const json::object& each) {
        return kube::string_at(each, "group") == api::http_route_resource.group &&
               kube::string_at(each, "kind") == api::http_route_resource.kind &&
               kube::string_at(each, "namespace") == from;
    });
    return known_from && any_entry(grant, "to", [&](const json::object& each) {
               const std::string name = kube::string_at(each, "name");
               return kube::string_at(each, "group").empty() && kube::string_at(each, "kind") == "Service" &&
                      (name.empty() || name == service);
           });
}

}  // namespace portitor::offer
