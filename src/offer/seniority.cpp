#include "offer/seniority.hpp"

#include <portitor/api/ownership.hpp>

#include <algorithm>
#include <cstddef>

namespace portitor::offer {

namespace {

// What the operator's selector leaves out, or the predecessor sells, is none of ours to sell.
bool may_be_sold(const offer_record& offer)
{
    return offer.selected && !offer.meta.deleted && !api::is_held_by_predecessor(offer.meta);
}

}  // namespace

std::vector<kube::object_key> seniority::update(const kube::change<offer_record>& of)
{
    if (limit_ == 0)
        return {};
    const kube::object_key key = of.key();
    const bool counts = of.after && may_be_sold(*of.after);
    const auto held = known_.find(key);
    if (held == known_.end() ? !counts : counts && held->second == age_of(*of.after))
        return {};
    ages& all = by_namespace_[key.ns];
    std::vector<kube::object_key> out;
    const auto note = [&](std::size_t place) { out.push_back({key.ns, all[place].second}); };
    const auto place_of = [&](const age& of) {
        return static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), of) - all.begin());
    };
    if (held != known_.end())
    {
        const std::size_t place = place_of(held->second);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(place));
        known_.erase(held);
        // The first one beyond the limit comes to be within it.
        if (place < limit_ && all.size() >= limit_)
            note(limit_ - 1);
    }
    if (counts)
    {
        const age mine = age_of(*of.after);
        const std::size_t place = place_of(mine);
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(place), mine);
        known_.emplace(key, mine);
        if (place < limit_ && all.size() > limit_)
            note(limit_);
    }
    if (all.empty())
        by_namespace_.erase(key.ns);
    std::erase(out, key);
    return out;
}

bool seniority::is_beyond(const offer_record& offer) const
{
    const auto of = by_namespace_.find(offer.meta.ns);
    if (limit_ == 0 || of == by_namespace_.end() || of->second.size() < limit_)
        return false;
    const age mine = age_of(offer);
    return static_cast<std::size_t>(
               std::lower_bound(of->second.begin(), of->second.end(), mine) - of->second.begin()
           ) >= limit_;
}

}  // namespace portitor::offer
