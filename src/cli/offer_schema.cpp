#include "cli/offer_schema.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/schema/crd_schema.hpp>

namespace portitor::cli {

namespace json = boost::json;

namespace {

const schema::crd_schema& offers()
{
    return schema::crd_schema::load(api::service_offer_resource.kind);
}

}  // namespace

std::vector<std::string> problems_of(const json::object& offer)
{
    std::vector<std::string> out;
    for (const schema::problem& each : offers().validate(offer))
        out.push_back(each.text());
    return out;
}

void fill_defaults(json::object& offer)
{
    offers().apply_defaults(offer);
}

bool same_spec(const kube::object& live, const json::object& offer)
{
    return live.spec() == kube::object_at(offer, "spec");
}

}  // namespace portitor::cli
