#pragma once

#include <portitor/kube/object.hpp>
#include <portitor/kube/store.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace portitor::controller {

/// Which offers ask for which path of which host: the oldest one has it. One strand.
class path_index
{
public:
    /// Takes a change of an offer; returns the other offers whose claim it may have moved.
    std::vector<kube::object_key> update(const kube::change<kube::object>& of);

    /// "namespace/name" of the older offer that has this offer's path; empty where it is this one's.
    std::string owner_before(const kube::object& offer) const;

private:
    // Oldest first; the name settles offers of the same second.
    using claim = std::pair<clock::time_point, kube::object_key>;

    static std::string place_of(const kube::object& offer);

    std::map<std::string, std::set<claim>> by_place_;
};

}  // namespace portitor::controller
