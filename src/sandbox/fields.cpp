#include "sandbox/fields.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace portitor::sandbox {

namespace json = boost::json;

namespace {

using to = field_step::to;

const std::array<list_rule, 3> lists_of_all{
    list_rule{".metadata.finalizers", ""},
    list_rule{".metadata.ownerReferences", "uid"},
    list_rule{".status.conditions", "type"},
};

constexpr std::array<std::string_view, 10> metadata_of_the_server{
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
};

// The step to an element, or nothing where the list does not keep to its rule.
bool find_step(const json::value& element, const std::string& key, field_step& out)
{
    out.key = key;
    if (key.empty())
    {
        out.what = to::text;
        if (!element.is_string())
            return false;
        out.name = element.get_string();
        return true;
    }
    out.what = to::entry;
    if (!element.is_object())
        return false;
    out.name = kube::string_at(element.get_object(), key);
    return !out.name.empty();
}

class collector
{
public:
    explicit collector(const std::vector<list_rule>& lists) : lists_(lists) {}

    std::vector<leaf> out;

    void collect(const json::value& value, const field_path& path, const std::string& place)
    {
        const json::object* object = value.if_object();
        if (object && !object->empty())
        {
            for (const auto& [name, inner] : *object)
                collect(inner, joined(path, {to::member, std::string(name)}), inside(place, name));
            return;
        }
        if (!collect_list(value, path, place))
            out.push_back({path, value});
    }

private:
    static field_path joined(const field_path& path, field_step step)
    {
        field_path all = path;
        all.push_back(std::move(step));
        return all;
    }

    // Below a list no rule holds any more.
    static std::string inside(const std::string& place, std::string_view name)
    {
        return place.empty() ? std::string() : place + (place == "." ? "" : ".") + std::string(name);
    }

    const list_rule* rule_of(const std::string& place) const
    {
        const auto here = [&](const list_rule& each) { return each.path == place; };
        if (const auto at = std::find_if(lists_.begin(), lists_.end(), here); at != lists_.end())
            return &*at;
        const auto at = std::find_if(lists_of_all.begin(), lists_of_all.end(), here);
        return at == lists_of_all.end() ? nullptr : &*at;
    }

    bool collect_list(const json::value& value, const field_path& path, const std::string& place)
    {
        const list_rule* rule = value.is_array() && !value.get_array().empty() ? rule_of(place) : nullptr;
        if (!rule)
            return false;
        std::set<field_step> seen;
        for (const json::value& each : value.get_array())
        {
            field_step step;
            if (!find_step(each, rule->key, step) || !seen.insert(step).second)
                return false;
        }
        for (const json::value& each : value.get_array())
        {
            field_step step;
            find_step(each, rule->key, step);
            const field_path here = joined(path, std::move(step));
            if (each.is_object())
                collect(each, here, "");
            else
                out.push_back({here, each});
        }
        return true;
    }

    const std::vector<list_rule>& lists_;
};

bool is_that(const json::value& element, const field_step& step)
{
    field_step other;
    return find_step(element, step.key, other) && other == step;
}

json::value* find_part(json::value& of, const field_step& step)
{
    if (step.what == to::member)
        return of.is_object() ? of.get_object().if_contains(step.name) : nullptr;
    if (!of.is_array())
        return nullptr;
    json::array& list = of.get_array();
    const auto at =
        std::find_if(list.begin(), list.end(), [&](const json::value& each) { return is_that(each, step); });
    return at == list.end() ? nullptr : &*at;
}

json::value& make_part(json::value& of, const field_step& step)
{
    if (step.what == to::member)
        return (of.is_object() ? of.get_object() : of.emplace_object())[step.name];
    if (json::value* found = find_part(of, step))
        return *found;
    json::array& list = of.is_array() ? of.get_array() : of.emplace_array();
    if (step.what == to::text)
        return list.emplace_back(step.name);
    return list.emplace_back(json::object{{step.key, step.name}});
}

void erase_part(json::value& of, const field_step& step)
{
    if (step.what == to::member && of.is_object())
        of.get_object().erase(step.name);
    else if (of.is_array())
    {
        json::array& list = of.get_array();
        list.erase(
            std::remove_if(
                list.begin(), list.end(), [&](const json::value& each) { return is_that(each, step); }
            ),
            list.end()
        );
    }
}

bool is_empty(const json::value& value)
{
    return (value.is_object() && value.get_object().empty()) ||
           (value.is_array() && value.get_array().empty());
}

void erase_from(json::value& at, const field_path& path, std::size_t depth)
{
    const field_step& step = path[depth];
    if (depth + 1 == path.size())
    {
        erase_part(at, step);
        return;
    }
    json::value* part = find_part(at, step);
    if (!part)
        return;
    erase_from(*part, path, depth + 1);
    if (depth == 0 || !is_empty(*part))
        return;
    // An entry is empty when the member that named it is gone, so it has no name any more.
    if (step.what == to::entry)
        at.get_array().erase(part);
    else
        erase_part(at, step);
}

std::vector<std::string> members_of(std::string_view dotted)
{
    std::vector<std::string> out;
    while (!dotted.empty())
    {
        dotted.remove_prefix(1);
        const auto end = dotted.find('.');
        out.emplace_back(dotted.substr(0, end));
        dotted.remove_prefix(std::min(end, dotted.size()));
    }
    return out;
}

json::array* list_at(json::value& root, const std::vector<std::string>& members)
{
    json::value* at = &root;
    for (const std::string& each : members)
    {
        at = at->is_object() ? at->get_object().if_contains(each) : nullptr;
        if (!at)
            return nullptr;
    }
    return at->if_array();
}

void order(json::value& object, json::value& wanted, const list_rule& rule)
{
    const auto members = members_of(rule.path);
    json::array* list = list_at(object, members);
    const json::array* first = list_at(wanted, members);
    if (!list || !first)
        return;
    json::array sorted;
    for (const json::value& each : *first)
    {
        field_step step;
        if (!find_step(each, rule.key, step))
            return;
        for (const json::value& live : *list)
        {
            if (is_that(live, step))
                sorted.push_back(live);
        }
    }
    for (const json::value& live : *list)
    {
        field_step step;
        const bool named = find_step(live, rule.key, step);
        if (!named || std::none_of(first->begin(), first->end(), [&](const json::value& each) {
                return is_that(each, step);
            }))
            sorted.push_back(live);
    }
    *list = std::move(sorted);
}

}  // namespace

std::string to_text(const field_path& path)
{
    std::string out;
    for (const field_step& each : path)
    {
        switch (each.what)
        {
        case to::member:
            out += "." + each.name;
            break;
        case to::entry:
            out += fmt::format("[{}=\"{}\"]", each.key, each.name);
            break;
        case to::text:
            out += fmt::format("[=\"{}\"]", each.name);
            break;
        }
    }
    return out;
}

std::vector<leaf> leaves_of(const json::object& object, const std::vector<list_rule>& lists)
{
    collector found(lists);
    for (const auto& [name, value] : object)
    {
        if (name == "apiVersion" || name == "kind" || (name == "metadata" && !value.is_object()))
            continue;
        if (name != "metadata")
        {
            found.collect(value, {{to::member, std::string(name)}}, "." + std::string(name));
            continue;
        }
        for (const auto& [inner, held] : value.get_object())
        {
            const std::string_view of(inner.data(), inner.size());
            if (std::find(metadata_of_the_server.begin(), metadata_of_the_server.end(), of) ==
                metadata_of_the_server.end())
                found.collect(
                    held,
                    {{to::member, "metadata"}, {to::member, std::string(of)}},
                    ".metadata." + std::string(of)
                );
        }
    }
    return std::move(found.out);
}

leaf_map by_path(std::vector<leaf> leaves)
{
    leaf_map out;
    for (leaf& each : leaves)
        out.emplace(std::move(each.path), std::move(each.value));
    return out;
}

void set_leaf(json::object& root, const field_path& path, const json::value& value)
{
    json::value whole(std::move(root));
    json::value* at = &whole;
    for (const field_step& each : path)
        at = &make_part(*at, each);
    if (!at->is_object() || !value.is_object() || !value.get_object().empty())
        *at = value;
    root = std::move(whole.get_object());
}

void erase_leaves(json::object& root, std::vector<field_path> paths)
{
    // By that member the entry is found: it goes last.
    std::stable_partition(paths.begin(), paths.end(), [](const field_path& each) {
        return each.size() < 2 || each.back().what != to::member || each[each.size() - 2].what != to::entry ||
               each[each.size() - 2].key != each.back().name;
    });
    json::value whole(std::move(root));
    for (const field_path& each : paths)
        erase_from(whole, each, 0);
    root = std::move(whole.get_object());
}

void order_lists(json::object& object, const json::object& wanted, const std::vector<list_rule>& lists)
{
    json::value whole(std::move(object));
    json::value like(wanted);
    for (const list_rule& each : lists)
        order(whole, like, each);
    for (const list_rule& each : lists_of_all)
        order(whole, like, each);
    object = std::move(whole.get_object());
}

}  // namespace portitor::sandbox
