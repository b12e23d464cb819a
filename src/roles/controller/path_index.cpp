#include "roles/controller/path_index.hpp"

namespace portitor::controller {

std::string path_index::place_of(const kube::object& offer)
{
    std::string path = kube::string_at(offer.spec(), "path");
    if (path.empty())
        path = "/services/" + offer.meta.name;
    return kube::string_at(offer.spec(), "hostname") + path;
}

std::vector<kube::object_key> path_index::update(const kube::change<kube::object>& of)
{
    std::vector<kube::object_key> others;
    const auto touch = [&](const std::string& place) {
        for (const claim& each : by_place_[place])
        {
            if (each.second != of.key())
                others.push_back(each.second);
        }
        if (by_place_[place].empty())
            by_place_.erase(place);
    };
    const std::string before = of.before ? place_of(*of.before) : std::string();
    const std::string after = of.after ? place_of(*of.after) : std::string();
    if (before == after)
        return others;
    if (of.before)
    {
        by_place_[before].erase({of.before->meta.created, of.key()});
        touch(before);
    }
    if (of.after)
    {
        by_place_[after].insert({of.after->meta.created, of.key()});
        touch(after);
    }
    return others;
}

std::string path_index::owner_before(const kube::object& offer) const
{
    const auto at = by_place_.find(place_of(offer));
    if (at == by_place_.end() || at->second.empty() || at->second.begin()->second == offer.meta.key())
        return {};
    return at->second.begin()->second.to_string();
}

}  // namespace portitor::controller
