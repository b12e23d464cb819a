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

bool is_held_by_predecessor(const kube::object_meta& offer)
{
    return offer.has_finalizer(predecessors_finalizer) && !offer.has_finalizer(finalizer);
}

bool is_predecessors(const kube::object& request)
{
    return request.spec().contains("serviceOfferName");
}

bool is_made_for(const kube::object& child, const kube::object_identity& offer)
{
    // Whatever its owner and its labels say: anybody may write such a one.
    if (is_predecessors(child))
        return false;
    if (const kube::owner_reference* owner = child.meta.controller())
        return owner->uid == offer.uid;
    const boost::json::object wanted{
        {managed_by_label, managed_by_value}, {offer_label, label_value(offer.name)}};
    return kube::contains(kube::labels_of(child), wanted);
}

}  // namespace portitor::api
