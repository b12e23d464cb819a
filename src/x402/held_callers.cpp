#include "x402/held_callers.hpp"

#include <algorithm>
#include <vector>

namespace portitor::x402 {

namespace {

const std::string everybody = "all";

// What a caller is part of, the narrowest first.
std::vector<std::string> scopes_of(const facilitator_caller& who)
{
    if (!who.proven)
        return {"unproven offer " + who.offer, "unproven tenant " + who.tenant, "unproven"};
    return {
        "payer " + who.payer.to_string() + " " + who.offer,
        "offer " + who.offer,
        "tenant " + who.tenant,
        everybody};
}

}  // namespace

void held_callers::hold(const facilitator_caller& who, time_point until, time_point now)
{
    std::string part;
    for (const std::string& scope : scopes_of(who))
    {
        // Callers leave room for what they are part of.
        if (!has_room(scope, part.empty() ? most_ / 2 : most_, now))
        {
            // So many are held that what they are part of may as well be.
            part = scope;
            continue;
        }
        held& one = held_[scope];
        const bool others = one.part_until > now && one.part != part;
        if (!part.empty())
        {
            one.part_until = others ? std::max(one.part_until, until) : until;
            one.part = part;
        }
        if (!part.empty() && !others)
            return;
        one.until = std::max(one.until, until);
        part = scope;
    }
}

held_callers::time_point held_callers::held_until(const facilitator_caller& who) const
{
    time_point out{};
    if (held_.empty())
        return out;
    for (const std::string& scope : scopes_of(who))
        if (const auto at = held_.find(scope); at != held_.end())
            out = std::max(out, at->second.until);
    return out;
}

bool held_callers::holds_everybody(time_point now) const
{
    const auto at = held_.find(everybody);
    return at != held_.end() && now < at->second.until;
}

bool held_callers::idle(time_point now) const
{
    return std::all_of(held_.begin(), held_.end(), [now](const auto& each) { return each.second.over(now); });
}

bool held_callers::has_room(const std::string& scope, std::size_t most, time_point now)
{
    if (held_.size() < most || held_.contains(scope))
        return true;
    std::erase_if(held_, [now](const auto& each) { return each.second.over(now); });
    return held_.size() < most;
}

}  // namespace portitor::x402
