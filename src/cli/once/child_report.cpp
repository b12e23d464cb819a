#include "cli/once/child_report.hpp"

#include "cli/output/line_diff.hpp"
#include "cli/output/masked.hpp"
#include "cli/yaml.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>

namespace portitor::cli::once {

namespace json = boost::json;

namespace {

json::value sorted(const json::value& value)
{
    if (const json::array* list = value.if_array())
    {
        json::array out;
        for (const json::value& each : *list)
            out.push_back(sorted(each));
        return out;
    }
    const json::object* object = value.if_object();
    if (!object)
        return value;
    std::map<std::string_view, const json::value*> by_key;
    for (const auto& [key, member] : *object)
        by_key.emplace(key, &member);
    json::object out;
    for (const auto& [key, member] : by_key)
        out[key] = sorted(*member);
    return out;
}

void take_over(json::object& into, const json::object& from)
{
    for (const auto& [key, value] : from)
        into[key] = value;
}

// Lists of the metadata are shared with others: ours are added, or take the place of those with their key.
void add_each(json::object& meta, const json::object& wanted, const char* name, const char* key)
{
    const json::array& ours = kube::array_at(wanted, name);
    if (ours.empty())
        return;
    json::array out = kube::array_at(meta, name);
    for (const json::value& each : ours)
    {
        const auto same = [&](const json::value& held) {
            return key && held.is_object() && each.is_object()
                       ? kube::string_at(held.get_object(), key) == kube::string_at(each.get_object(), key)
                       : held == each;
        };
        const auto at = std::find_if(out.begin(), out.end(), same);
        if (at == out.end())
            out.push_back(each);
        else
            *at = each;
    }
    meta[name] = std::move(out);
}

// What a server-side apply makes of the live object, after the fields of others have been removed.
json::object applied(const json::object& live, const json::object& desired)
{
    json::object out = live;
    json::object meta = kube::object_at(live, "metadata");
    const json::object& wanted = kube::object_at(desired, "metadata");
    for (const char* each : {"labels", "annotations"})
    {
        json::object all = kube::object_at(meta, each);
        take_over(all, kube::object_at(wanted, each));
        if (!all.empty())
            meta[each] = std::move(all);
    }
    add_each(meta, wanted, "ownerReferences", "uid");
    add_each(meta, wanted, "finalizers", nullptr);
    out["metadata"] = std::move(meta);
    out["spec"] = kube::object_at(desired, "spec");
    return out;
}

void remove_at(json::value& root, const std::string& pointer)
{
    const std::size_t last = pointer.rfind('/');
    boost::system::error_code wrong;
    json::value* parent = root.find_pointer(std::string_view(pointer).substr(0, last), wrong);
    if (!parent || !parent->is_object())
        return;
    std::string key = pointer.substr(last + 1);
    // RFC 6901, section 4.
    for (const auto& [escape, plain] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
    {
        for (std::size_t at = key.find(escape); at != key.npos; at = key.find(escape, at + 1))
            key.replace(at, 2, plain);
    }
    parent->get_object().erase(key);
}

// The annotation's name holds a dot, so it is no path.
void drop_digest(json::object& of)
{
    json::value* meta = of.if_contains("metadata");
    json::value* notes = meta && meta->is_object() ? meta->get_object().if_contains("annotations") : nullptr;
    if (!notes || !notes->is_object())
        return;
    notes->get_object().erase(api::desired_hash_annotation);
    if (notes->get_object().empty())
        meta->get_object().erase("annotations");
}

child_report report_step(const offer::apply& step, const kube::object* live)
{
    child_report out;
    out.kind = step.kind;
    out.key = {
        kube::string_at(step.desired, "metadata.namespace"), kube::string_at(step.desired, "metadata.name")};
    out.what = live ? step::change : step::create;
    out.edited = step.repair;
    if (live)
        out.live = shown_fields(live->raw);
    out.wanted = shown_fields(live ? applied(live->raw, step.desired) : step.desired);
    if (live)
        out.diff = diff_of(out.live, out.wanted);
    return out;
}

template <typename T>
const T* find_step(const std::vector<T>& all, offer::child_kind kind)
{
    const auto at = std::find_if(all.begin(), all.end(), [&](const T& each) { return each.kind == kind; });
    return at == all.end() ? nullptr : &*at;
}

}  // namespace

json::object shown_fields(const json::object& raw)
{
    json::object meta;
    const json::object& all = kube::object_at(raw, "metadata");
    for (const char* each : {"annotations", "finalizers", "labels", "name", "namespace", "ownerReferences"})
    {
        if (const json::value* held = all.if_contains(each))
            meta[each] = *held;
    }
    json::object out;
    for (const char* each : {"apiVersion", "kind"})
    {
        if (const json::value* held = raw.if_contains(each))
            out[each] = *held;
    }
    out["metadata"] = std::move(meta);
    out["spec"] = kube::object_at(raw, "spec");
    return masked(sorted(out)).as_object();
}

std::vector<std::string> diff_of(json::object live, json::object wanted)
{
    json::object plain_live = live;
    json::object plain_wanted = wanted;
    drop_digest(plain_live);
    drop_digest(plain_wanted);
    if (plain_live != plain_wanted)
        return line_diff(to_yaml(plain_live), to_yaml(plain_wanted));
    if (live != wanted)
        return line_diff(to_yaml(live), to_yaml(wanted));
    return {"(only what is not shown here: a secret of a URL, or an order)"};
}

std::vector<child_report> children_of(const offer::plan& todo, const offer::observation& seen)
{
    std::vector<child_report> out;
    for (const offer::child_type& type : offer::child_types)
    {
        const kube::object* live = seen.children[type.kind].own();
        if (const offer::apply* step = find_step(todo.applies, type.kind))
            out.push_back(report_step(*step, live));
        else if (live)
        {
            child_report same;
            same.kind = type.kind;
            same.key = live->meta.key();
            out.push_back(std::move(same));
        }
        if (out.empty() || out.back().kind != type.kind || !live)
            continue;
        if (find_step(todo.removes, type.kind))
        {
            out.back().what = step::remove;
            out.back().live = shown_fields(live->raw);
            out.back().wanted = {};
        }
        else if (find_step(todo.releases, type.kind))
            out.back().what = step::release;
    }
    return out;
}

void take_answer(child_report& into, const json::object& answer, const offer::change& step)
{
    json::value after = answer;
    for (const std::string& each : step.foreign)
        remove_at(after, each);
    into.wanted = shown_fields(after.get_object());
    into.asked_server = true;
    if (into.what == once::step::change)
        into.diff = diff_of(into.live, into.wanted);
}

}  // namespace portitor::cli::once
