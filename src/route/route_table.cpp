#include "route/route_table.hpp"

#include "route/host_name.hpp"

#include <algorithm>

namespace portitor::route {

namespace {

/// The text of the path's first segments.
std::string_view prefix_of(const request_path& path, std::size_t depth)
{
    if (depth == 0)
        return {};
    const std::string_view last = path.segments[depth - 1];
    const char* const end = last.data() + last.size();
    return std::string_view(path.text).substr(0, static_cast<std::size_t>(end - path.text.data()));
}

}  // namespace

entry_ptr route_table::find_by_path(const request_path& path, std::string_view host) const
{
    const std::string name = host_name_of(host);
    // A route of another host must not decide, however deep it begins; nor one of no host where hosts count.
    bool any_host = false;
    for (const bool by_host : {true, false})
    {
        if (any_host)
            break;
        for (std::size_t depth = std::min(path.segments.size(), deepest_) + 1; depth-- > 0;)
        {
            const auto& group = by_path_.find(prefix_of(path, depth));
            if (!group)
                continue;
            const auto fits = [&](const entry_ptr& each) {
                const std::string& of = each->route->public_host();
                any_host = any_host || !of.empty();
                return by_host ? !of.empty() && of == name : of.empty();
            };
            const auto found = std::find_if(group->entries.begin(), group->entries.end(), fits);
            if (found == group->entries.end())
                continue;
            const bool alone = std::none_of(found + 1, group->entries.end(), fits);
            return alone ? *found : nullptr;
        }
    }
    return nullptr;
}

route_table route_table::with(entry_ptr added) const
{
    route_table out = without(added->route->key());
    out.by_key_ = out.by_key_.with(added);
    out.deepest_ = std::max(deepest_, api::segments_of(added->route->prefix()).size());
    out.add_to_group(std::move(added));
    return out;
}

route_table route_table::without(std::string_view key) const
{
    route_table out = *this;
    if (const entry_ptr& known = by_key_.find(key))
    {
        out.remove_from_group(*known);
        out.by_key_ = by_key_.without(key);
    }
    return out;
}

route_table route_table::completed() const
{
    route_table out = *this;
    out.complete_ = true;
    return out;
}

void route_table::add_to_group(entry_ptr added)
{
    const auto& known = by_path_.find(added->route->prefix());
    auto group = known ? std::make_shared<path_group>(*known) : std::make_shared<path_group>();
    const auto place = std::find_if(group->entries.begin(), group->entries.end(), [&](const entry_ptr& each) {
        return added->route->key() < each->route->key();
    });
    group->entries.insert(place, std::move(added));
    by_path_ = by_path_.with(std::move(group));
}

void route_table::remove_from_group(const table_entry& removed)
{
    const auto& known = by_path_.find(removed.route->prefix());
    if (!known)
        return;
    auto group = std::make_shared<path_group>(*known);
    std::erase_if(group->entries, [&](const entry_ptr& each) {
        return each->route->key() == removed.route->key();
    });
    by_path_ =
        group->entries.empty() ? by_path_.without(removed.route->prefix()) : by_path_.with(std::move(group));
}

}  // namespace portitor::route
