#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <compare>
#include <map>
#include <string>
#include <vector>

namespace portitor::sandbox {

/// From a value to a part of it.
struct field_step
{
    enum class to
    {
        member,  ///< of an object, by name
        entry,   ///< of a list: the object whose member `key` is `name`
        text,    ///< of a list of texts: the one that is `name`
    };

    to what = to::member;
    std::string name;
    std::string key = {};

    auto operator<=>(const field_step&) const = default;
};

/// Where a field is in its object.
using field_path = std::vector<field_step>;

/// As the API server writes it in the causes of a conflict: .status.conditions[type="Ready"].reason
std::string to_text(const field_path& path);

/// A list whose parts have owners of their own (x-kubernetes-list-type); all others belong together.
struct list_rule
{
    std::string path;  ///< ".spec.routes"
    std::string key;   ///< the member that tells entries apart; empty: a set of texts
};

/// A field without parts, or with such that belong together, and what it holds.
struct leaf
{
    field_path path;
    boost::json::value value;
};

/// The fields of an object that somebody may own, in its order: without apiVersion, kind, and what the server
/// itself writes into metadata. metadata.finalizers, metadata.ownerReferences and status.conditions are lists
/// with parts in any kind.
std::vector<leaf> leaves_of(const boost::json::object& object, const std::vector<list_rule>& lists);

using leaf_map = std::map<field_path, boost::json::value>;
leaf_map by_path(std::vector<leaf> leaves);

/// Puts a leaf in, with the objects and lists around it. An empty object changes no other one.
void set_leaf(boost::json::object& root, const field_path& path, const boost::json::value& value);

/// Takes leaves out, and what is empty then around them, but for the members of the root.
void erase_leaves(boost::json::object& root, std::vector<field_path> paths);

/// Puts the lists with parts into the order that `wanted` has; what is not in there follows.
void order_lists(
    boost::json::object& object, const boost::json::object& wanted, const std::vector<list_rule>& lists
);

}  // namespace portitor::sandbox
