#include "offer/place_claim.hpp"

#include "offer/draft.hpp"
#include "offer/gate_trial.hpp"

#include <portitor/api/ownership.hpp>

namespace portitor::offer {

bool is_published(const observation& seen)
{
    const kube::object* route = seen.children[child_kind::http_route].own();
    return route && !is_trial_route(*route);
}

bool asks_for_place(observation seen, const plan_settings& settings, clock::time_point now)
{
    if (is_published(seen))
        return true;
    const kube::object_meta& meta = seen.offer->meta;
    if (!seen.offer->selected || meta.deleted || api::is_held_by_predecessor(meta))
        return false;
    seen.path_owner.clear();
    return !make_draft(seen, settings, now).blocked;
}

}  // namespace portitor::offer
