#include "offer/drain.hpp"

#include <portitor/core/saturating_time.hpp>

namespace portitor::offer {

ending ending_of(const api::service_offer& offer, clock::time_point now)
{
    ending out;
    if (!offer.drain_at)
        return out;
    const clock::time_point begins = *offer.drain_at;
    out.sold_until = saturating_add(begins, offer.drain_grace);
    if (now >= begins)
        out.stage = now < out.sold_until ? drain_stage::draining : drain_stage::drained;
    if (out.stage != drain_stage::drained)
        out.next_step = std::chrono::ceil<std::chrono::milliseconds>(
            saturating_between(now, out.stage == drain_stage::none ? begins : out.sold_until)
        );
    return out;
}

}  // namespace portitor::offer
