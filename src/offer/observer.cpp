#include "offer/observer.hpp"

namespace portitor::offer {

observation observer::observe(record_ptr offer) const
{
    observation seen;
    const kube::object_meta& meta = offer->meta;
    if (from_.find_child)
        seen.children = find_children(meta, from_.find_child);
    if (from_.verifier_ready)
        seen.verifier_ready = from_.verifier_ready();
    if (from_.paths)
        seen.path_owner = from_.paths->owner_before(meta.key());
    if (from_.around && offer->spec)
    {
        seen.way_around = from_.around->way_around(*offer->spec);
        seen.upstream_granted = from_.around->may_lead_to(meta.ns, offer->upstream);
    }
    seen.offer = std::move(offer);
    return seen;
}

}  // namespace portitor::offer
