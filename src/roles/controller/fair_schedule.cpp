#include "roles/controller/fair_schedule.hpp"

#include <algorithm>

namespace portitor::controller {

std::size_t fair_schedule::share_of(const std::string& group) const
{
    return group.empty() ? fair_shares::no_limit : shares_.of_group;
}

void fair_schedule::add(id what, item of)
{
    remove(what);
    const item& held = items_.emplace(what, std::move(of)).first->second;
    for (const std::string& ns : held.namespaces)
    {
        const auto at = lanes_.try_emplace(ns).first;
        at->second.groups[held.group].waiting.insert({held.due, what});
        refresh(at, held.group);
    }
}

void fair_schedule::remove(id what)
{
    const auto held = items_.find(what);
    if (held == items_.end())
        return;
    for (const std::string& ns : held->second.namespaces)
    {
        const auto at = lanes_.find(ns);
        at->second.groups[held->second.group].waiting.erase({held->second.due, what});
        refresh(at, held->second.group);
    }
    items_.erase(held);
}

std::optional<fair_schedule::taken> fair_schedule::take(time_point now)
{
    promote(now);
    if (ready_.empty())
        return std::nullopt;
    taken out;
    out.ns = std::get<std::string>(*ready_.begin());
    lane& of = lanes_.at(out.ns);
    if (!may_take(of))
        return std::nullopt;
    out.group = of.heads.begin()->second;
    group& in = of.groups[out.group];
    const auto [due, what] = *in.waiting.begin();
    out.what = what;
    out.late = now - due;
    // It has its share also where that is smaller, because there are many who have theirs.
    const std::size_t much = std::max<std::size_t>(1, shares_.of_namespace / 4);
    out.own_share = of.full_at >= due || in.full_at >= due || of.under_way >= much;
    leave_lines(out.ns, of);
    ++under_way_;
    ++of.under_way;
    ++in.under_way;
    if (of.under_way >= shares_.of_namespace)
        of.full_at = now;
    if (in.under_way >= share_of(out.group))
        in.full_at = now;
    of.turn = ++turns_;
    remove(what);
    return out;
}

void fair_schedule::give_back(const taken& done, time_point now)
{
    const auto at = lanes_.find(done.ns);
    lane& of = at->second;
    group& in = of.groups[done.group];
    leave_lines(done.ns, of);
    --under_way_;
    if (of.under_way-- >= shares_.of_namespace)
        of.full_at = now;
    if (in.under_way-- >= share_of(done.group))
        in.full_at = now;
    refresh(at, done.group);
}

fair_schedule::time_point fair_schedule::next(time_point now)
{
    promote(now);
    if (!ready_.empty() && may_take(lanes_.at(std::get<std::string>(*ready_.begin()))))
        return now;
    return waiting_.empty() ? time_point::max() : waiting_.begin()->first;
}

// Puts a group, and with it its lane, where it belongs now; nothing is kept of what is empty.
void fair_schedule::refresh(lanes::iterator at, const std::string& name)
{
    lane& of = at->second;
    const auto found = of.groups.find(name);
    group& in = found->second;
    if (in.head)
        of.heads.erase({*in.head, name});
    in.head.reset();
    if (!in.waiting.empty() && in.under_way < share_of(name))
    {
        in.head = in.waiting.begin()->first;
        of.heads.insert({*in.head, name});
    }
    if (in.waiting.empty() && in.under_way == 0)
        of.groups.erase(found);
    stand(at);
}

void fair_schedule::leave_lines(const std::string& ns, lane& of)
{
    if (of.head)
        waiting_.erase({*of.head, ns});
    of.head.reset();
    if (of.ready)
        ready_.erase({of.under_way, of.turn, ns});
    of.ready = false;
}

void fair_schedule::stand(lanes::iterator at)
{
    lane& of = at->second;
    leave_lines(at->first, of);
    if (of.groups.empty())
    {
        lanes_.erase(at);
        return;
    }
    if (of.heads.empty() || of.under_way >= shares_.of_namespace)
        return;
    of.head = of.heads.begin()->first;
    waiting_.insert({*of.head, at->first});
}

bool fair_schedule::may_take(const lane& of) const
{
    const std::size_t left = shares_.of_all - under_way_;
    return left > 0 && (shares_.of_namespace == fair_shares::no_limit || of.under_way < left);
}

void fair_schedule::promote(time_point now)
{
    while (!waiting_.empty() && waiting_.begin()->first <= now)
    {
        const auto first = waiting_.extract(waiting_.begin());
        const std::string& ns = first.value().second;
        lane& of = lanes_.at(ns);
        of.head.reset();
        of.ready = true;
        ready_.insert({of.under_way, of.turn, ns});
    }
}

}  // namespace portitor::controller
