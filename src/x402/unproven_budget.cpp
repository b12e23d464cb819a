#include "x402/unproven_budget.hpp"

namespace portitor::x402 {

namespace {

constexpr std::chrono::hours a_day{24};
constexpr std::size_t most_payers = 10'000;

}  // namespace

bool unproven_budget::take(const evm::address& payer, clock::time_point now)
{
    std::string name = payer.to_string();
    auto known = by_payer_.find(name);
    if (known == by_payer_.end())
    {
        if (by_payer_.size() >= most_payers)
            std::erase_if(by_payer_, [now](const auto& each) { return now - each.second.since >= a_day; });
        if (by_payer_.size() >= most_payers)
            return false;
        known = by_payer_.emplace(std::move(name), spent{now}).first;
    }
    if (now - known->second.since >= a_day)
        known->second = spent{now};
    if (known->second.grants >= most_)
        return false;
    ++known->second.grants;
    return true;
}

}  // namespace portitor::x402
