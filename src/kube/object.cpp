#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace portitor::kube {

namespace json = boost::json;

namespace {

std::optional<owner_reference> parse_owner(const json::value& value)
{
    const json::object* entry = value.if_object();
    if (!entry)
        return std::nullopt;
    return owner_reference{
        string_at(*entry, "apiVersion"),
        string_at(*entry, "kind"),
        string_at(*entry, "name"),
        string_at(*entry, "uid"),
        bool_at(*entry, "controller"),
    };
}

object_meta read_meta(const json::object& meta)
{
    object_meta out;
    out.ns = string_at(meta, "namespace");
    out.name = string_at(meta, "name");
    out.uid = string_at(meta, "uid");
    out.resource_version = string_at(meta, "resourceVersion");
    out.generation = int_at(meta, "generation");
    out.created = from_rfc3339(string_at(meta, "creationTimestamp"));
    if (const json::value* deleted = meta.if_contains("deletionTimestamp"); deleted && !deleted->is_null())
        out.deleted = from_rfc3339(string_at(meta, "deletionTimestamp"));
    if (const json::value* list = find_path(meta, "finalizers"); list && list->is_array())
    {
        for (const json::value& each : list->get_array())
        {
            if (each.is_string())
                out.finalizers.emplace_back(each.get_string());
        }
    }
    if (const json::value* list = find_path(meta, "ownerReferences"); list && list->is_array())
    {
        for (const json::value& each : list->get_array())
        {
            if (auto owner = parse_owner(each))
                out.owners.push_back(std::move(*owner));
        }
    }
    return out;
}

}  // namespace

std::string resource::api_version() const
{
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

bool object_meta::has_finalizer(std::string_view name_of_it) const
{
    return std::find(finalizers.begin(), finalizers.end(), name_of_it) != finalizers.end();
}

const owner_reference* object_meta::controller() const
{
    const auto at =
        std::find_if(owners.begin(), owners.end(), [](const auto& each) { return each.controller; });
    return at == owners.end() ? nullptr : &*at;
}

const json::object& object::spec() const
{
    return object_at(raw, "spec");
}

const json::object& object::status() const
{
    return object_at(raw, "status");
}

result<object_meta> parse_meta(const json::object& raw)
{
    object_meta out = read_meta(object_at(raw, "metadata"));
    if (out.name.empty())
        return fail(errc::protocol, "an object without metadata.name");
    return out;
}

void read_identity(const json::object& raw, object_identity& into)
{
    into.ns.clear();
    into.name.clear();
    into.uid.clear();
    into.resource_version.clear();
    into.generation = 0;
    // One walk along the few members there are.
    for (const auto& [key, value] : object_at(raw, "metadata"))
    {
        if (value.is_int64() && key == "generation")
            into.generation = value.get_int64();
        if (!value.is_string())
            continue;
        std::string* to = key == "name"              ? &into.name
                          : key == "namespace"       ? &into.ns
                          : key == "uid"             ? &into.uid
                          : key == "resourceVersion" ? &into.resource_version
                                                     : nullptr;
        if (to != nullptr)
            to->assign(value.get_string().data(), value.get_string().size());
    }
}

result<object_ptr> parse_object(json::object raw)
{
    return parse_unreadable(std::move(raw), {});
}

result<object_ptr> parse_unreadable(json::object raw, std::string why)
{
    auto meta = parse_meta(raw);
    if (!meta)
        return meta.error();
    if (json::value* kept = raw.if_contains("metadata"); kept && kept->is_object())
        kept->get_object().erase("managedFields");
    auto out = std::make_shared<object>();
    out->meta = std::move(*meta);
    out->raw = std::move(raw);
    out->unreadable = std::move(why);
    return object_ptr(std::move(out));
}

json::object make_status(const resource& kind, const object_identity& of, json::object status)
{
    const json::object metadata{{"namespace", of.ns}, {"name", of.name}, {"uid", of.uid}};
    json::object out{
        {"apiVersion", kind.api_version()},
        {"kind", std::string(kind.kind)},
        {"metadata", metadata},
    };
    out["status"] = std::move(status);
    return out;
}

bool is_older(std::string_view version, std::string_view than)
{
    if (version.empty() || than.empty())
        return false;
    return version.size() != than.size() ? version.size() < than.size() : version < than;
}

std::vector<condition> parse_conditions(const json::object& status)
{
    std::vector<condition> out;
    const json::value* list = status.if_contains("conditions");
    if (!list || !list->is_array())
        return out;
    for (const json::value& each : list->get_array())
    {
        const json::object* entry = each.if_object();
        if (!entry || string_at(*entry, "type").empty())
            continue;
        out.push_back({
            string_at(*entry, "type"),
            string_at(*entry, "status"),
            string_at(*entry, "reason"),
            string_at(*entry, "message"),
            int_at(*entry, "observedGeneration"),
            string_at(*entry, "lastTransitionTime"),
        });
    }
    return out;
}

json::object to_json(const condition& value)
{
    return {
        {"type", value.type},
        {"status", value.status},
        {"reason", value.reason},
        {"message", value.message},
        {"observedGeneration", value.observed_generation},
        {"lastTransitionTime", value.last_transition_time},
    };
}

void keep_transition_times(
    std::vector<condition>& wanted, const std::vector<condition>& live, clock::time_point now
)
{
    for (condition& each : wanted)
    {
        const condition* before = find_condition(live, each.type);
        const bool same = before && before->status == each.status && !before->last_transition_time.empty();
        each.last_transition_time = same ? before->last_transition_time : to_rfc3339(now);
    }
}

const condition* find_condition(const std::vector<condition>& conditions, std::string_view type)
{
    const auto at = std::find_if(conditions.begin(), conditions.end(), [&](const condition& each) {
        return each.type == type;
    });
    return at == conditions.end() ? nullptr : &*at;
}

const json::value* find_path(const json::object& root, std::string_view dotted_path)
{
    const json::object* in = &root;
    for (;;)
    {
        const auto dot = dotted_path.find('.');
        const auto key = dotted_path.substr(0, dot);
        const json::value* value = in->if_contains(json::string_view(key.data(), key.size()));
        if (!value || dot == dotted_path.npos)
            return value;
        in = value->if_object();
        if (!in)
            return nullptr;
        dotted_path.remove_prefix(dot + 1);
    }
}

std::string string_at(const json::object& root, std::string_view dotted_path)
{
    const json::value* value = find_path(root, dotted_path);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t int_at(const json::object& root, std::string_view dotted_path, std::int64_t otherwise)
{
    const json::value* value = find_path(root, dotted_path);
    return value && value->is_int64() ? value->get_int64() : otherwise;
}

bool bool_at(const json::object& root, std::string_view dotted_path, bool otherwise)
{
    const json::value* value = find_path(root, dotted_path);
    return value && value->is_bool() ? value->get_bool() : otherwise;
}

std::string string_or(const json::object& root, std::string_view dotted_path, std::string_view otherwise)
{
    std::string found = string_at(root, dotted_path);
    return found.empty() ? std::string(otherwise) : found;
}

const json::object& object_at(const json::object& root, std::string_view dotted_path)
{
    static const json::object empty;
    const json::value* value = find_path(root, dotted_path);
    return value && value->is_object() ? value->get_object() : empty;
}

const json::array& array_at(const json::object& root, std::string_view dotted_path)
{
    static const json::array empty;
    const json::value* value = find_path(root, dotted_path);
    return value && value->is_array() ? value->get_array() : empty;
}

const json::object& as_object(const json::value& value)
{
    static const json::object empty;
    return value.is_object() ? value.get_object() : empty;
}

const json::object& labels_of(const object& of)
{
    return object_at(of.raw, "metadata.labels");
}

bool contains(const json::value& live, const json::value& wanted)
{
    if (wanted.is_object())
    {
        if (!live.is_object())
            return false;
        for (const auto& [key, value] : wanted.get_object())
        {
            const json::value* held = live.get_object().if_contains(key);
            if (!held || !contains(*held, value))
                return false;
        }
        return true;
    }
    if (wanted.is_array())
    {
        if (!live.is_array() || live.get_array().size() != wanted.get_array().size())
            return false;
        for (std::size_t i = 0; i < wanted.get_array().size(); ++i)
        {
            if (!contains(live.get_array()[i], wanted.get_array()[i]))
                return false;
        }
        return true;
    }
    return live == wanted;
}

}  // namespace portitor::kube
