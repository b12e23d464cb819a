#pragma once

#include "route/route_counters.hpp"
#include "route/served_route.hpp"

#include <portitor/core/persistent_map.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace portitor::route {

/// A route in the table, with what is counted about it.
struct table_entry
{
    route_ptr route;
    std::shared_ptr<route_counters> counters;
};

using entry_ptr = std::shared_ptr<const table_entry>;

/// All routes at one moment: by "namespace/offer", and by path for gateways that do not name the offer.
/// Immutable; the next one shares all but what changed, so that a change costs the same among ten routes and
/// among a hundred thousand.
class route_table
{
public:
    /// Whether the list of routes has been complete once: before that, any may be missing.
    bool complete() const { return complete_; }
    std::size_t size() const { return by_key_.size(); }

    /// Null where the offer has no route here.
    const entry_ptr& find(std::string_view key) const { return by_key_.find(key); }

    /// The route for a path: of those that hold it and whose public URL has this host (an authority, in any
    /// spelling), the one that begins deepest. Where none of those that hold it names a host, the deepest of
    /// them. Null where there is none, or where two begin at the same path, so that every replica answers
    /// alike.
    entry_ptr find_by_path(const request_path& path, std::string_view host) const;

    route_table with(entry_ptr added) const;
    route_table without(std::string_view key) const;
    route_table completed() const;

private:
    /// Routes that begin at the same path, in the order of their keys.
    struct path_group
    {
        std::vector<entry_ptr> entries;
    };
    struct key_of_entry
    {
        std::string_view operator()(const table_entry& each) const { return each.route->key(); }
    };
    struct prefix_of_group
    {
        std::string_view operator()(const path_group& each) const
        {
            return each.entries.front()->route->prefix();
        }
    };

    void add_to_group(entry_ptr added);
    void remove_from_group(const table_entry& removed);

    persistent_map<table_entry, key_of_entry> by_key_;
    persistent_map<path_group, prefix_of_group> by_path_;
    std::size_t deepest_ = 0;  // segments of the longest prefix that ever was
    bool complete_ = false;
};

}  // namespace portitor::route
