#include "x402/fair_places.hpp"

namespace portitor::x402 {

namespace {

template <typename Counts>
std::size_t of(const Counts& counts, const typename Counts::key_type& whose)
{
    const auto at = counts.find(whose);
    return at == counts.end() ? 0 : at->second;
}

template <typename Counts>
void drop(Counts& counts, const typename Counts::key_type& whose)
{
    const auto at = counts.find(whose);
    if (--at->second == 0)
        counts.erase(at);
}

}  // namespace

bool fair_places::has_one_for(const facilitator_caller& caller) const
{
    const std::size_t free = places_ - taken_;
    return free > 0 && of(tenants_, caller.tenant) < 2 * free && of(offers_, caller.offer) < free &&
           8 * of(payers_, payer_of(caller)) < free && (caller.proven || 3 * unproven_ < free);
}

void fair_places::take(const facilitator_caller& caller)
{
    ++taken_;
    unproven_ += caller.proven ? 0U : 1U;
    ++tenants_[caller.tenant];
    ++offers_[caller.offer];
    ++payers_[payer_of(caller)];
}

void fair_places::give_back(const facilitator_caller& caller)
{
    --taken_;
    unproven_ -= caller.proven ? 0U : 1U;
    drop(tenants_, caller.tenant);
    drop(offers_, caller.offer);
    drop(payers_, payer_of(caller));
}

}  // namespace portitor::x402
