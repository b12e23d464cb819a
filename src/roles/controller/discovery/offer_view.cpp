#include "roles/controller/discovery/offer_view.hpp"

#include "offer/children.hpp"
#include "offer/drain.hpp"

namespace portitor::controller {

namespace {

bool is_ready(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    const kube::condition* ready = kube::find_condition(conditions, "Ready");
    return ready && ready->is_true() && ready->observed_generation == offer.meta.generation;
}

// The terms that the verifier sells by. Somebody else's route of that name is none of the offer's.
std::optional<api::payment_route> terms_of(const offer_view& seen)
{
    const kube::object_ptr& live = seen.payment_route;
    if (!live || live->meta.deleted || !offer::is_ours(*live, *seen.offer))
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
    auto offer = api::parse_service_offer(*seen.offer);
    // The condition Draining comes with the next reconcile, and Ready may stay true: the time itself decides.
    if (!offer || offer::ending_of(*offer, now).stage != offer::drain_stage::none)
        return out;
    auto terms = terms_of(seen);
    if (!terms)
        return out;
    out.until = offer->drain_at;
    out.sold.emplace();
    out.sold->offer = std::move(*offer);
    out.sold->terms = std::move(*terms);
    return out;
}

kube::object_ptr own_registration(const offer_view& seen)
{
    return seen.offer && seen.registration && offer::is_ours(*seen.registration, *seen.offer)
               ? seen.registration
               : nullptr;
}

}  // namespace portitor::controller
