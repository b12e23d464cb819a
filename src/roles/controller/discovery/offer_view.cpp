#include "roles/controller/discovery/offer_view.hpp"

#include "offer/drain.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/ownership.hpp>

namespace portitor::controller {

namespace {

bool is_ready(const offer::offer_record& offer)
{
    // What it says there is the predecessor's word.
    if (api::is_held_by_predecessor(offer.meta))
        return false;
    const auto* ready = offer.status.find_present(api::condition_type::ready, offer.meta.generation);
    return ready && ready->is_true();
}

// The terms that the verifier sells by. Somebody else's route of that name is none of the offer's.
std::optional<api::payment_route> terms_of(const offer_view& seen)
{
    const kube::object* live = seen.own(offer::child_kind::payment_route);
    if (!live || live->meta.deleted)
        return std::nullopt;
    auto terms = api::parse_payment_route(*live);
    if (!terms || terms->suspended)
        return std::nullopt;
    return std::move(*terms);
}

}  // namespace

listing make_listing(const offer_view& seen, clock::time_point now)
{
    listing out;
    if (!seen.offer || seen.offer->meta.deleted || !is_ready(*seen.offer))
        return out;
    const auto& offer = seen.offer->spec;
    // The condition Draining comes with the next reconcile, and Ready may stay true: the time itself decides.
    if (!offer || offer::ending_of(*offer, now).stage != offer::drain_stage::none)
        return out;
    auto terms = terms_of(seen);
    if (!terms)
        return out;
    out.until = offer->drain_at;
    out.sold.emplace();
    out.sold->offer = *offer;
    out.sold->terms = std::move(*terms);
    return out;
}

}  // namespace portitor::controller
