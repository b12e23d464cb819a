#include "cli/once/offer_schema.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/api/service_offer.hpp>

namespace portitor::cli::once {

namespace json = boost::json;

std::vector<std::string> problems_of(const json::object& offer)
{
    const std::string version = kube::string_at(offer, "apiVersion");
    if (version != api::service_offer_resource.api_version())
        return {fmt::format(
            "apiVersion: \"{}\", and not {}", version, api::service_offer_resource.api_version()
        )};
    const auto object = kube::parse_object(offer);
    if (!object)
        return {object.error().message()};
    const auto read = api::parse_service_offer(**object);
    return read ? std::vector<std::string>() : std::vector{read.error().message()};
}

void fill_defaults(json::object&) {}

bool same_spec(const kube::object& live, const json::object& offer)
{
    return kube::contains(live.spec(), kube::object_at(offer, "spec"));
}

}  // namespace portitor::cli::once
