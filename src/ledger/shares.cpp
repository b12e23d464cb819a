#include "ledger/shares.hpp"

#include <algorithm>

namespace portitor::ledger {

shares::shares(const limits& bounds)
    : most_(bounds.max_open), payers_(bounds.payer_part, bounds.least_of_payer),
      offers_(bounds.offer_part, bounds.least_of_offer), tenants_(bounds.tenant_part, bounds.least_of_tenant)
{}

bool shares::tally::full(std::string_view name, std::size_t all, std::size_t taken) const
{
    const auto found = of_.find(name);
    if (found == of_.end())
        return false;
    const std::size_t others = taken - std::min(taken, found->second);
    const std::size_t left = all - std::min(all, others);
    return found->second >= std::max(left / part_, least_);
}

void shares::tally::count(std::string_view name, int change)
{
    auto at = of_.find(name);
    if (at == of_.end())
        at = of_.try_emplace(std::string(name)).first;
    at->second += static_cast<std::size_t>(change);
    if (at->second == 0)
        of_.erase(at);
}

std::optional<x402::record_refusal>
shares::refuse(const x402::payment_key& key, const x402::payment_terms* terms) const
{
    using x402::record_refusal;
    if (payers_.full(key.payer(), most_, taken_))
        return record_refusal::payer_full;
    if (terms != nullptr && offers_.full(terms->offer, most_, taken_))
        return record_refusal::offer_full;
    if (terms != nullptr && tenants_.full(terms->tenant(), most_, taken_))
        return record_refusal::tenant_full;
    if (taken_ >= most_)
        return record_refusal::full;
    return std::nullopt;
}

void shares::count(const x402::payment_record& record, int change)
{
    taken_ += static_cast<std::size_t>(change);
    payers_.count(record.key.payer(), change);
    if (!record.terms)
        return;
    offers_.count(record.terms->offer, change);
    tenants_.count(record.terms->tenant(), change);
}

std::size_t shares::bytes() const noexcept
{
    return (payers_.size() + offers_.size() + tenants_.size()) * 112;
}

}  // namespace portitor::ledger
