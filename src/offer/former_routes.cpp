#include "offer/former_routes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace portitor::offer {

void former_routes::note(kube::object_ptr before, time_point now)
{
    for (auto each = by_namespace_.begin(); each != by_namespace_.end();)
    {
        std::deque<former>& routes = each->second;
        while (!routes.empty() && routes.front().until <= now)
            routes.pop_front();
        each = routes.empty() ? by_namespace_.erase(each) : std::next(each);
    }
    std::deque<former>& routes = by_namespace_[before->meta.ns];
    if (routes.size() >= most)
    {
        forgotten_until_ = std::max(forgotten_until_, routes.front().until);
        routes.pop_front();
    }
    routes.push_back({now + kept, std::move(before)});
}

std::string
former_routes::find(time_point now, const std::function<std::string(const kube::object& former)>& judge) const
{
    for (const auto& [ns, routes] : by_namespace_)
    {
        for (const former& each : routes)
        {
            if (each.until <= now)
                continue;
            if (auto found = judge(*each.route); !found.empty())
                return found;
        }
    }
    return {};
}

}  // namespace portitor::offer
