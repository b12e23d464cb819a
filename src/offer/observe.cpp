#include "offer/observe.hpp"

namespace portitor::offer {

observation
observe(record_ptr offer, const child_finder& find, const path_index& paths, const surroundings& around)
{
    observation seen;
    const kube::object_meta& meta = offer->meta;
    seen.children = find_children(meta, find);
    seen.path_owner = paths.owner_before(meta.key());
    if (offer->spec)
    {
        seen.way_around = around.way_around(*offer->spec);
        seen.upstream_granted = around.may_lead_to(meta.ns, offer->upstream);
    }
    seen.offer = std::move(offer);
    return seen;
}

}  // namespace portitor::offer
