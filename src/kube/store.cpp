#include <portitor/kube/store.hpp>

#include <set>

namespace portitor::kube {

std::vector<change> store::replace(const std::vector<object_ptr>& snapshot)
{
    std::vector<change> changes;
    std::set<object_key> seen;
    for (const object_ptr& each : snapshot)
        seen.insert(each->meta.key());
    for (auto at = objects_.begin(); at != objects_.end();)
    {
        if (seen.contains(at->first))
        {
            ++at;
            continue;
        }
        changes.push_back({at->first, at->second, nullptr});
        at = objects_.erase(at);
    }
    for (const object_ptr& each : snapshot)
    {
        for (change& one : upsert(each))
            changes.push_back(std::move(one));
    }
    return changes;
}

std::vector<change> store::upsert(object_ptr object)
{
    const object_key key = object->meta.key();
    object_ptr& held = objects_[key];
    const object_ptr before = held;
    if (before && before->meta.uid == object->meta.uid &&
        before->meta.resource_version == object->meta.resource_version)
        return {};
    held = object;
    if (before && before->meta.uid != object->meta.uid)
        return {change{key, before, nullptr}, change{key, nullptr, object}};
    return {change{key, before, object}};
}

std::vector<change> store::remove(const object_key& key)
{
    const auto at = objects_.find(key);
    if (at == objects_.end())
        return {};
    std::vector<change> changes{{key, at->second, nullptr}};
    objects_.erase(at);
    return changes;
}

object_ptr store::find(const object_key& key) const
{
    const auto at = objects_.find(key);
    return at == objects_.end() ? nullptr : at->second;
}

}  // namespace portitor::kube
