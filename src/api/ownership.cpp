#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::api {

const kube::owner_reference* owning_offer(const kube::object_meta& child)
{
    const kube::owner_reference* owner = child.controller();
    const bool is_offer = owner && owner->kind == service_offer_resource.kind &&
                          owner->api_version.starts_with(std::string(service_offer_resource.group) + "/");
    return is_offer ? owner : nullptr;
}

bool is_made_for(const kube::object& child, const kube::object_identity& offer)
{
    if (const kube::owner_reference* owner = child.meta.controller())
        return owner->uid == offer.uid;
    const boost::json::object wanted{
        {managed_by_label, managed_by_value}, {offer_label, label_value(offer.name)}};
    return kube::contains(kube::labels_of(child), wanted);
}

}  // namespace portitor::api
