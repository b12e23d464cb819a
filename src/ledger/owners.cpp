#include "ledger/owners.hpp"

#include <algorithm>

namespace portitor::ledger {

std::uint64_t owners::join(clock::time_point now)
{
    all_[++last_].lease_end = now + lease_;
    return last_;
}

void owners::skip_to(std::uint64_t token) noexcept
{
    last_ = std::max(last_, token);
}

void owners::renew(std::uint64_t token, clock::time_point now)
{
    const auto found = all_.find(token);
    if (found != all_.end())
        found->second.lease_end = now + lease_;
}

void owners::abandon(std::uint64_t token)
{
    const auto found = all_.find(token);
    if (found != all_.end())
        found->second.abandoned = true;
}

void owners::sweep(clock::time_point now)
{
    std::erase_if(all_, [now](const auto& each) {
        return each.second.abandoned && each.second.lease_end <= now;
    });
}

void owners::fence(std::uint64_t token)
{
    const auto found = all_.find(token);
    if (found != all_.end())
        found->second.fenced = true;
}

bool owners::may_act(std::uint64_t token) const
{
    const auto found = all_.find(token);
    return found != all_.end() && !found->second.fenced;
}

bool owners::alive(std::uint64_t token, clock::time_point now) const
{
    const auto found = all_.find(token);
    return found != all_.end() && !found->second.fenced && now < found->second.lease_end;
}

}  // namespace portitor::ledger
