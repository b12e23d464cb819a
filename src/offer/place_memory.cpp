#include "offer/place_memory.hpp"

namespace portitor::offer {

namespace {

constexpr std::chrono::hours kept_for(24);

}  // namespace

clock::time_point
place_memory::note(const offer_record& offer, const place& where, bool published, clock::time_point now)
{
    const auto [at, is_new] = known_.try_emplace(offer.meta.key());
    holding& held = at->second;
    if (is_new || held.uid != offer.meta.uid)
    {
        // Nobody remembers since when: among those it is their age that counts.
        held = {offer.meta.uid, where, published ? clock::time_point::min() : never};
        return held.since;
    }
    if (held.where != where)
        held = {offer.meta.uid, where};
    if (published)
    {
        held.left.reset();
        held.since = std::min(held.since, now);
    }
    else if (held.since != never)
    {
        if (!held.left)
            held.left = now;
        if (now - *held.left > kept_for)
            held.since = never;
    }
    return held.since;
}

}  // namespace portitor::offer
