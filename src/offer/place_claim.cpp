#include "offer/place_claim.hpp"

#include "offer/draft.hpp"
#include "offer/gate_trial.hpp"

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
    if (!seen.offer->selected || seen.offer->meta.deleted)
        return false;
    seen.path_owner.clear();
    return !make_draft(seen, settings, now).blocked;
}

}  // namespace portitor::offer
