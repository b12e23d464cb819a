#include "offer/leftover.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::offer {

namespace {

std::string label_of(const kube::object& object, std::string_view name)
{
    const auto* label = kube::labels_of(object).if_contains(name);
    return label && label->is_string() ? std::string(label->get_string()) : std::string();
}

}  // namespace

std::optional<kube::object_identity>
former_offer(const kube::object& request, const kube::object_identity* present)
{
    const bool ours = request.unreadable.empty() && request.meta.has_finalizer(api::finalizer) &&
                      !api::is_predecessors(request);
    if (!ours || (present && api::is_made_for(request, *present)))
        return std::nullopt;
    kube::object_identity out;
    out.ns = request.meta.ns;
    if (const kube::owner_reference* owner = api::owning_offer(request.meta))
    {
        out.name = owner->name;
        out.uid = owner->uid;
        return out;
    }
    out.name = label_of(request, api::offer_label);
    const bool labelled = label_of(request, api::managed_by_label) == api::managed_by_value;
    // A label that is too short for the name does not tell which offer it was; and the name tells whether it
    // is the child of the one that the label names.
    const bool tells = !out.name.empty() && api::registration_name(out.name) == request.meta.name;
    return !request.meta.controller() && labelled && tells ? std::optional(out) : std::nullopt;
}

}  // namespace portitor::offer
