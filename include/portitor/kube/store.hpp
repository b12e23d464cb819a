#pragma once

#include <portitor/kube/object.hpp>

#include <functional>
#include <map>
#include <vector>

namespace portitor::kube {

/// A change of one key: `before` is null for a new object, `after` for one that is gone.
struct change
{
    object_key key;
    object_ptr before;
    object_ptr after;
};

/// The objects of one kind, as last seen. Objects are immutable and shared. One strand.
class store
{
public:
    /// Takes a whole snapshot; returns what differs. A key that came back with another UID is a removal and
    /// an addition, in this order.
    std::vector<change> replace(const std::vector<object_ptr>& snapshot);

    std::vector<change> upsert(object_ptr object);
    std::vector<change> remove(const object_key& key);

    /// The object, or null.
    object_ptr find(const object_key& key) const;
    std::size_t size() const { return objects_.size(); }
    const std::map<object_key, object_ptr>& all() const { return objects_; }

private:
    std::map<object_key, object_ptr> objects_;
};

}  // namespace portitor::kube
