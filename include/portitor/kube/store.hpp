#pragma once

#include <portitor/core/exception_text.hpp>
#include <portitor/kube/object.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace portitor::kube {

/// A change of one key: `before` is null for a new object, `after` for one that is gone.
template <typename T>
struct change
{
    std::shared_ptr<const T> before;
    std::shared_ptr<const T> after;

    object_key key() const { return (after ? after : before)->meta.key(); }
};

/// The objects of one kind, as last seen: immutable, shared, and no more of each than T keeps. T has a member
/// `meta` that is an object_identity. Reading takes no lock, as everything is on one strand.
template <typename T>
class store
{
public:
    using pointer = std::shared_ptr<const T>;
    /// The values under which an object is to be found. Where it throws, the object is found under none.
    using index_function = std::function<std::vector<std::string>(const T&)>;
    /// Hears of index functions that threw: for which object, and what.
    using fault_handler = std::function<void(const object_key& key, const std::string& what)>;

    /// A view of the store by other values than the key, always as new as the store itself.
    class index
    {
    public:
        explicit index(index_function of) : of_(std::move(of)) {}

        /// The keys of all objects that have this value, in order.
        const std::set<object_key>& find(const std::string& value) const
        {
            static const std::set<object_key> none;
            const auto at = keys_.find(value);
            return at == keys_.end() ? none : at->second;
        }

        /// Calls `visitor` with each value that begins with `prefix`, in order, and the keys of its objects.
        template <typename Visitor>
        void visit(std::string_view prefix, Visitor visitor) const
        {
            for (auto at = keys_.lower_bound(std::string(prefix));
                 at != keys_.end() && at->first.starts_with(prefix);
                 ++at)
                visitor(at->first, at->second);
        }

    private:
        friend class store;

        void update(const change<T>& of, const fault_handler& on_fault)
        {
            const object_key key = of.key();
            if (of.before)
            {
                if (const auto values = values_of(*of.before, key, on_fault))
                {
                    for (const std::string& value : *values)
                        forget(value, key);
                }
                else
                    forget_everywhere(key);
            }
            if (!of.after)
                return;
            if (const auto values = values_of(*of.after, key, on_fault))
            {
                for (const std::string& value : *values)
                    keys_[value].insert(key);
            }
        }

        std::optional<std::vector<std::string>>
        values_of(const T& object, const object_key& key, const fault_handler& on_fault) const
        {
            try
            {
                return of_(object);
            }
            catch (...)
            {
                if (on_fault)
                    on_fault(key, describe(std::current_exception()));
                return std::nullopt;
            }
        }

        void forget_everywhere(const object_key& key)
        {
            for (auto at = keys_.begin(); at != keys_.end();)
            {
                at->second.erase(key);
                at = at->second.empty() ? keys_.erase(at) : std::next(at);
            }
        }

        void forget(const std::string& value, const object_key& key)
        {
            const auto at = keys_.find(value);
            if (at == keys_.end())
                return;
            at->second.erase(key);
            if (at->second.empty())
                keys_.erase(at);
        }

        index_function of_;
        std::map<std::string, std::set<object_key>> keys_;
    };

    /// Set before the first object comes. Lives as long as the store.
    const index& add_index(index_function of)
    {
        indexes_.push_back(std::make_unique<index>(std::move(of)));
        return *indexes_.back();
    }

    void on_fault(fault_handler of) { on_fault_ = std::move(of); }

    /// Takes a whole snapshot; returns what differs. A key that came back with another UID is a removal and
    /// an addition, in this order. `stand_ins` are the keys of what stands for an object that could not be
    /// read: the object itself takes its place also where its version is the same.
    std::vector<change<T>> replace(std::vector<pointer> snapshot, const std::set<object_key>& stand_ins = {})
    {
        // Both sides in the same order, so that one walk along them finds what is gone.
        std::stable_sort(snapshot.begin(), snapshot.end(), [](const pointer& left, const pointer& right) {
            return before_in_order(*left, *right);
        });
        std::vector<change<T>> changes;
        changes.reserve(objects_.empty() ? snapshot.size() : 0);
        auto next = snapshot.begin();
        for (auto at = objects_.begin(); at != objects_.end();)
        {
            next = std::find_if(next, snapshot.end(), [&](const pointer& each) {
                return !before_in_order(*each, *at->second);
            });
            if (next != snapshot.end() && !before_in_order(*at->second, **next))
            {
                ++at;
                continue;
            }
            stand_ins_.erase(at->first);
            note(changes, {at->second, nullptr});
            at = objects_.erase(at);
        }
        for (pointer& each : snapshot)
        {
            const bool stands_in = !stand_ins.empty() && stand_ins.contains(each->meta.key());
            put(std::move(each), stands_in, changes);
        }
        return changes;
    }

    std::vector<change<T>> upsert(pointer object, bool stands_in = false)
    {
        std::vector<change<T>> changes;
        put(std::move(object), stands_in, changes);
        return changes;
    }

    std::vector<change<T>> remove(const object_key& key)
    {
        std::vector<change<T>> changes;
        const auto at = objects_.find(key);
        if (at == objects_.end())
            return changes;
        stand_ins_.erase(key);
        note(changes, {at->second, nullptr});
        objects_.erase(at);
        return changes;
    }

    /// The object, or null.
    pointer find(const object_key& key) const
    {
        const auto at = objects_.find(key);
        return at == objects_.end() ? nullptr : at->second;
    }
    std::size_t size() const { return objects_.size(); }
    const std::map<object_key, pointer>& all() const { return objects_; }

private:
    /// The order of object_key, without making any.
    static bool before_in_order(const T& left, const T& right)
    {
        return std::tie(left.meta.ns, left.meta.name) < std::tie(right.meta.ns, right.meta.name);
    }

    void put(pointer object, bool stands_in, std::vector<change<T>>& changes)
    {
        const object_key key = object->meta.key();
        const bool stood_in = !stand_ins_.empty() && stand_ins_.erase(key) != 0;
        if (stands_in)
            stand_ins_.insert(key);
        pointer& held = objects_[key];
        const pointer before = std::exchange(held, object);
        const bool is_new_text = !before || before->meta.resource_version != object->meta.resource_version;
        if (before && before->meta.uid != object->meta.uid)
        {
            note(changes, {before, nullptr});
            note(changes, {nullptr, std::move(object)});
        }
        else if (is_new_text || stood_in != stands_in)
            note(changes, {before, std::move(object)});
        else
            held = before;
    }

    void note(std::vector<change<T>>& changes, change<T> what)
    {
        for (const auto& each : indexes_)
            each->update(what, on_fault_);
        changes.push_back(std::move(what));
    }

    std::map<object_key, pointer> objects_;
    std::set<object_key> stand_ins_;
    std::vector<std::unique_ptr<index>> indexes_;
    fault_handler on_fault_;
};

}  // namespace portitor::kube
