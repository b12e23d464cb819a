#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace portitor {

/// A hash map that never changes: with() and without() make another one, which shares with it all but the few
/// nodes on the way to the key. Copies are cheap, and any number of threads may read.
///
/// A tree of three levels, each of 32 branches chosen by five bits of the hash, whose leaves hold the few
/// values that fall together. `KeyOf` says the key of a value, which lives as long as the value.
template <typename T, typename KeyOf>
class persistent_map
{
public:
    using value = std::shared_ptr<const T>;

    /// Null where there is none. The reference is valid as long as this map.
    const value& find(std::string_view key) const
    {
        static const value none;
        std::size_t hash = hash_of(key);
        if (!root_)
            return none;
        const auto& upper = (*root_)[next_branch(hash)];
        if (!upper)
            return none;
        const auto& lower = (*upper)[next_branch(hash)];
        if (!lower)
            return none;
        const auto& bottom = (*lower)[next_branch(hash)];
        if (!bottom)
            return none;
        for (const entry& each : *bottom)
        {
            if (each.hash == hash && KeyOf()(*each.held) == key)
                return each.held;
        }
        return none;
    }

    /// With this value, in place of the one of the same key where there is one.
    persistent_map with(value added) const
    {
        const std::string_view key = KeyOf()(*added);
        return changed(key, std::move(added));
    }

    persistent_map without(std::string_view key) const { return find(key) ? changed(key, nullptr) : *this; }

    std::size_t size() const noexcept { return size_; }

private:
    struct entry
    {
        std::size_t hash;  // what the branches left of it
        value held;
    };
    using leaf = std::vector<entry>;
    template <typename Child>
    using branches = std::array<std::shared_ptr<const Child>, 32>;
    using lower_level = branches<leaf>;
    using upper_level = branches<lower_level>;
    using top_level = branches<upper_level>;

    static std::size_t hash_of(std::string_view key) { return std::hash<std::string_view>()(key); }

    static std::size_t next_branch(std::size_t& hash)
    {
        const std::size_t chosen = hash & 31;
        hash >>= 5;
        return chosen;
    }

    template <typename Node>
    static std::shared_ptr<Node> copy(const std::shared_ptr<const Node>& from)
    {
        return from ? std::make_shared<Node>(*from) : std::make_shared<Node>();
    }

    persistent_map changed(std::string_view key, value next) const
    {
        std::size_t hash = hash_of(key);
        persistent_map out;
        const auto root = copy(root_);
        auto& upper_place = (*root)[next_branch(hash)];
        const auto upper = copy(upper_place);
        auto& lower_place = (*upper)[next_branch(hash)];
        const auto lower = copy(lower_place);
        auto& leaf_place = (*lower)[next_branch(hash)];

        auto bottom = std::make_shared<leaf>();
        out.size_ = size_ + (next ? 1 : 0);
        bottom->reserve((leaf_place ? leaf_place->size() : 0) + (next ? 1 : 0));
        for (const entry& each : leaf_place ? *leaf_place : leaf())
        {
            if (each.hash == hash && KeyOf()(*each.held) == key)
                --out.size_;
            else
                bottom->push_back(each);
        }
        if (next)
            bottom->push_back({hash, std::move(next)});
        leaf_place = bottom->empty() ? nullptr : std::move(bottom);
        lower_place = lower;
        upper_place = upper;
        out.root_ = root;
        return out;
    }

    std::shared_ptr<const top_level> root_;
    std::size_t size_ = 0;
};

}  // namespace portitor
