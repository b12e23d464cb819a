#include "roles/controller/route_window.hpp"

#include <algorithm>

namespace portitor::controller {

using kube::object_key;

std::size_t route_window::of_namespace::free(time_point now)
{
    std::erase_if(taken, [now](const auto& each) { return each.second.until <= now; });
    return places - std::min(places, taken.size());
}

void route_window::of_namespace::leave(const std::string& offer)
{
    if (const auto at = turns.find(offer); at != turns.end())
    {
        line.erase(at->second);
        turns.erase(at);
    }
}

route_window::of_namespace* route_window::find(const object_key& offer)
{
    const auto at = namespaces_.find(offer.ns);
    return at == namespaces_.end() ? nullptr : &at->second;
}

route_window::place* route_window::place_of(const object_key& offer)
{
    of_namespace* of = find(offer);
    if (of == nullptr)
        return nullptr;
    const auto at = of->taken.find(offer.name);
    return at == of->taken.end() ? nullptr : &at->second;
}

std::chrono::milliseconds route_window::wait(const object_key& offer, time_point now)
{
    of_namespace* of = find(offer);
    if (of == nullptr)
        return {};
    const std::size_t free = of->free(now);
    const auto turn = of->turns.find(offer.name);
    // Who comes now stands behind all others.
    const std::size_t before =
        turn == of->turns.end()
            ? of->line.size()
            : static_cast<std::size_t>(std::distance(of->line.begin(), of->line.find(turn->second)));
    if (before < free)
        return {};
    // It is told when its turn comes, but nobody tells of a place whose time is over.
    time_point first = now + patience;
    for (const auto& [name, each] : of->taken)
        first = std::min(first, each.until);
    return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(first - now));
}

void route_window::take(const object_key& offer, time_point now)
{
    of_namespace& of = namespaces_[offer.ns];
    of.leave(offer.name);
    place& mine = of.taken[offer.name];
    mine.until = now + patience;
    mine.written.reset();
}

void route_window::stand(const object_key& offer)
{
    of_namespace& of = namespaces_[offer.ns];
    const auto [turn, is_new] = of.turns.try_emplace(offer.name, last_turn_ + 1);
    if (is_new)
        of.line.emplace(++last_turn_, offer.name);
}

void route_window::leave(const object_key& offer, time_point now)
{
    of_namespace* of = find(offer);
    if (of == nullptr)
        return;
    of->leave(offer.name);
    if (of->line.empty() && of->free(now) == places)
        namespaces_.erase(offer.ns);
}

std::vector<object_key>
route_window::written(const object_key& offer, std::optional<std::int64_t> generation, time_point now)
{
    place* mine = place_of(offer);
    if (mine == nullptr)
        return {};
    mine->written = generation;
    // Its echo may be quicker than the answer.
    return generation && mine->judged < *generation ? std::vector<object_key>() : give_up(offer, now);
}

std::vector<object_key>
route_window::judged(const object_key& offer, std::optional<std::int64_t> generation, time_point now)
{
    place* mine = place_of(offer);
    if (mine == nullptr)
        return {};
    mine->judged = std::max(mine->judged, generation.value_or(0));
    const bool waits = generation && (!mine->written || mine->judged < *mine->written);
    return waits ? std::vector<object_key>() : give_up(offer, now);
}

// Not who stands further behind is told: he would only look and wait on.
std::vector<object_key> route_window::give_up(const object_key& offer, time_point now)
{
    of_namespace& of = *find(offer);
    of.taken.erase(offer.name);
    std::vector<object_key> out;
    std::size_t free = of.free(now);
    for (auto each = of.line.begin(); each != of.line.end() && free > 0; ++each, --free)
        out.push_back({offer.ns, each->second});
    return out;
}

}  // namespace portitor::controller
