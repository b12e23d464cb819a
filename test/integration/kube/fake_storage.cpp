#include "fake_storage.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace portitor::test {

namespace json = boost::json;
using kube::object_key;

namespace {

// Of the custom kind; others take anything.
const std::set<std::string> widget_fields{"size", "color", "note"};

bool is_widget(const std::string& kind)
{
    return kind == "test.example/v1/widgets";
}

json::object& meta_of(json::object& object)
{
    json::value& meta = object["metadata"];
    if (!meta.is_object())
        meta = json::object();
    return meta.get_object();
}

void set(json::object& object, std::string_view name, json::value value)
{
    object[json::string_view(name.data(), name.size())] = std::move(value);
}

using leaves = std::map<std::string, json::value>;

// Lists are atomic but for conditions, which are a map by type.
void collect(const json::value& value, const std::string& path, leaves& out)
{
    if (!value.is_object() || value.get_object().empty())
    {
        out[path] = value;
        return;
    }
    for (const auto& [name, inner] : value.get_object())
        collect(inner, path + "." + std::string(name), out);
}

leaves leaves_of(const json::object& object)
{
    leaves out;
    for (const auto& [name, value] : object)
    {
        if (name == "apiVersion" || name == "kind")
            continue;
        collect(value, "." + std::string(name), out);
    }
    for (const char* each :
         {"name",
          "namespace",
          "uid",
          "resourceVersion",
          "generation",
          "creationTimestamp",
          "deletionTimestamp",
          "managedFields"})
        out.erase(std::string(".metadata.") + each);
    std::erase_if(out, [](const auto& leaf) { return leaf.first.starts_with(".metadata.managedFields"); });
    return out;
}

std::vector<std::string> split(std::string_view text, char by)
{
    std::vector<std::string> out;
    for (;;)
    {
        const auto at = text.find(by);
        out.emplace_back(text.substr(0, at));
        if (at == text.npos)
            return out;
        text.remove_prefix(at + 1);
    }
}

json::value* find_parent(json::object& root, const std::vector<std::string>& path, bool make)
{
    json::object* at = &root;
    json::value* found = nullptr;
    for (std::size_t i = 1; i + 1 < path.size(); ++i)
    {
        if (make)
            found = &(*at)[path[i]];
        else
            found = at->if_contains(path[i]);
        if (!found)
            return nullptr;
        if (make && !found->is_object())
            *found = json::object();
        if (!found->is_object())
            return found;
        at = &found->get_object();
    }
    return found;
}

// A path such as ".spec.size"; an empty value takes the leaf out.
void set_leaf(json::object& root, const std::string& path, const std::optional<json::value>& value)
{
    const auto parts = split(path, '.');
    json::value* parent = find_parent(root, parts, value.has_value());
    json::object* at = parts.size() == 2 ? &root : parent ? parent->if_object() : nullptr;
    if (!at)
        return;
    if (value)
        (*at)[parts.back()] = *value;
    else
        at->erase(parts.back());
}

bool same_but_version(json::object a, json::object b)
{
    for (json::object* each : {&a, &b})
    {
        meta_of(*each).erase("resourceVersion");
        meta_of(*each).erase("managedFields");
        meta_of(*each).erase("generation");
    }
    return a == b;
}

storage_answer strict_refusal(const std::string& field)
{
    return refusal(400, "BadRequest", "strict decoding error: unknown field \"spec." + field + "\"");
}

// One operation of RFC 6902 on objects and arrays; false where it does not hold or fit.
bool operate(json::object& root, const json::object& operation)
{
    const std::string op = kube::string_at(operation, "op");
    const auto parts = split(kube::string_at(operation, "path"), '/');
    json::value* parent = find_parent(root, parts, false);
    json::object* map = parts.size() == 2 ? &root : parent ? parent->if_object() : nullptr;
    json::array* list = parent ? parent->if_array() : nullptr;
    const json::value* value = operation.if_contains("value");
    const std::string& last = parts.back();
    if (list)
    {
        const bool append = last == "-";
        const std::size_t index = append ? list->size() : std::stoul(last);
        if (index > list->size() || (op != "add" && index == list->size()))
            return false;
        const auto at = list->begin() + static_cast<std::ptrdiff_t>(index);
        if (op == "test")
            return *at == *value;
        if (op == "add")
            list->insert(at, *value);
        else if (op == "remove")
            list->erase(at);
        else
            return false;
        return true;
    }
    if (!map)
        return false;
    if (op == "test")
        return map->if_contains(last) && map->at(last) == *value;
    if (op == "add" || op == "replace")
        (*map)[last] = *value;
    else if (op == "remove")
        return map->erase(last) > 0;
    else
        return false;
    return true;
}

}  // namespace

storage_answer refusal(unsigned code, std::string_view reason, const std::string& message, json::array causes)
{
    json::object status;
    status["kind"] = "Status";
    status["apiVersion"] = "v1";
    status["metadata"] = json::object();
    status["status"] = "Failure";
    status["message"] = message;
    set(status, "reason", json::value(json::string_view(reason.data(), reason.size())));
    json::object details;
    if (!causes.empty())
        details["causes"] = std::move(causes);
    status["details"] = std::move(details);
    status["code"] = code;
    return {code, std::move(status)};
}

storage_answer fake_storage::not_found(const std::string& kind, const object_key& key) const
{
    const auto parts = split(kind, '/');
    return refusal(404, "NotFound", parts.back() + " \"" + key.name + "\" not found");
}

void fake_storage::drop_kind(const std::string& kind)
{
    while (!objects_[kind].empty())
        erase(kind, objects_[kind].begin()->first);
    kinds_.erase(kind);
    on_change_();
}

storage_answer fake_storage::get(const std::string& kind, const object_key& key) const
{
    const auto of = objects_.find(kind);
    if (of == objects_.end() || !of->second.contains(key))
        return not_found(kind, key);
    return {200, of->second.at(key)};
}

storage_answer fake_storage::create(
    const std::string& kind, const std::string& ns, json::object wanted, const std::string& manager
)
{
    const object_key key{ns, kube::string_at(wanted, "metadata.name")};
    if (objects_[kind].contains(key))
        return refusal(409, "AlreadyExists", kind + " \"" + key.name + "\" already exists");
    meta_of(wanted)["namespace"] = ns;
    if (is_widget(kind))
        wanted.erase("status");
    storage_answer made = put(kind, key, std::move(wanted), manager);
    made.code = 201;
    return made;
}

storage_answer fake_storage::replace(
    const std::string& kind, const object_key& key, json::object wanted, const std::string& manager
)
{
    const storage_answer live = get(kind, key);
    if (!live.good())
        return live;
    const std::string seen = kube::string_at(wanted, "metadata.resourceVersion");
    const std::string uid = kube::string_at(wanted, "metadata.uid");
    if (!seen.empty() && seen != kube::string_at(live.body, "metadata.resourceVersion"))
        return refusal(
            409, "Conflict", "the object has been modified; please apply your changes to the latest version"
        );
    if (!uid.empty() && uid != kube::string_at(live.body, "metadata.uid"))
        return refusal(409, "Conflict", "Precondition failed: UID in precondition");
    if (is_widget(kind))
    {
        wanted.erase("status");
        if (const json::value* status = live.body.if_contains("status"))
            wanted["status"] = *status;
    }
    return put(kind, key, std::move(wanted), manager);
}

storage_answer fake_storage::patch(
    const std::string& kind, const object_key& key, const json::array& operations, const std::string& manager
)
{
    const storage_answer live = get(kind, key);
    if (!live.good())
        return live;
    json::object after = live.body;
    for (const json::value& each : operations)
    {
        if (!operate(after, each.as_object()))
            return refusal(422, "Invalid", "the server rejected our request due to an error in our request");
    }
    const json::value* before_list = kube::find_path(live.body, "metadata.finalizers");
    const json::value* after_list = kube::find_path(after, "metadata.finalizers");
    const std::size_t before_count =
        before_list && before_list->is_array() ? before_list->get_array().size() : 0;
    const std::size_t after_count = after_list && after_list->is_array() ? after_list->get_array().size() : 0;
    if (meta_of(after).contains("deletionTimestamp") && after_count > before_count)
        return refusal(
            422, "Invalid", "Forbidden: no new finalizers can be added if the object is being deleted"
        );
    if (after_list && after_count == 0)
        meta_of(after).erase("finalizers");
    return put(kind, key, std::move(after), manager);
}

storage_answer fake_storage::apply(
    const std::string& kind,
    const object_key& key,
    json::object wanted,
    const std::string& manager,
    bool status,
    bool force,
    bool dry_run
)
{
    const storage_answer live = get(kind, key);
    const std::string uid = kube::string_at(wanted, "metadata.uid");
    if (!live.good() && !uid.empty())
        return refusal(
            409,
            "Conflict",
            "uid mismatch: the provided object specified uid " + uid + ", and no existing object was found"
        );
    if (live.good() && !uid.empty() && uid != kube::string_at(live.body, "metadata.uid"))
    {
        json::object cause;
        cause["reason"] = "FieldValueInvalid";
        cause["message"] = "Invalid value: \"" + uid + "\": field is immutable";
        cause["field"] = "metadata.uid";
        json::array causes;
        causes.push_back(std::move(cause));
        return refusal(422, "Invalid", "metadata.uid: field is immutable", std::move(causes));
    }
    if (!live.good() && status)
        return live;
    if (is_widget(kind))
    {
        const json::value* spec = wanted.if_contains("spec");
        for (const auto& [name, value] : spec && spec->is_object() ? spec->get_object() : json::object())
        {
            if (!widget_fields.contains(std::string(name)))
                return strict_refusal(std::string(name));
        }
    }

    leaves fields = leaves_of(wanted);
    std::erase_if(fields, [&](const auto& leaf) {
        const bool of_status = leaf.first.starts_with(".status");
        return is_widget(kind) && of_status != status;
    });
    const auto live_fields = live.good() ? leaves_of(live.body) : leaves();
    ownership owners;
    if (const auto known = owners_.find({kind, key}); live.good() && known != owners_.end())
        owners = known->second;

    json::array causes;
    for (const auto& [path, value] : fields)
    {
        const auto held = live_fields.find(path);
        if (held != live_fields.end() && held->second == value)
        {
            owners[path].insert(manager);
            continue;
        }
        for (const std::string& other : owners[path])
        {
            if (other == manager)
                continue;
            json::object cause;
            cause["reason"] = "FieldManagerConflict";
            cause["message"] = "conflict with \"" + other + "\" using test.example/v1";
            cause["field"] = path;
            causes.push_back(std::move(cause));
        }
        owners[path] = {manager};
    }
    if (!causes.empty() && !force)
        return refusal(409, "Conflict", "Apply failed with conflicts", std::move(causes));

    json::object after = live.good() ? live.body : wanted;
    if (!live.good())
    {
        after.erase("status");
        meta_of(after)["namespace"] = key.ns;
    }
    for (const auto& [path, value] : fields)
        set_leaf(after, path, value);
    // What this manager wanted before and does not want any more goes, unless somebody else wants it too.
    for (auto& [path, who] : owners)
    {
        const bool of_status = path.starts_with(".status");
        if (fields.contains(path) || !who.contains(manager) || (is_widget(kind) && of_status != status))
            continue;
        who.erase(manager);
        if (who.empty())
            set_leaf(after, path, std::nullopt);
    }
    std::erase_if(owners, [](const auto& each) { return each.second.empty(); });

    if (dry_run)
    {
        if (!live.good())
            meta_of(after)["uid"] = "dry-run";
        return {live.good() ? 200U : 201U, std::move(after)};
    }
    storage_answer made = put(kind, key, std::move(after), "");
    owners_[{kind, key}] = std::move(owners);
    made.code = live.good() ? 200 : 201;
    return made;
}

storage_answer
fake_storage::remove(const std::string& kind, const object_key& key, const json::object& options)
{
    const storage_answer live = get(kind, key);
    if (!live.good())
        return live;
    const std::string uid = kube::string_at(options, "preconditions.uid");
    const std::string version = kube::string_at(options, "preconditions.resourceVersion");
    if ((!uid.empty() && uid != kube::string_at(live.body, "metadata.uid")) ||
        (!version.empty() && version != kube::string_at(live.body, "metadata.resourceVersion")))
        return refusal(409, "Conflict", "Precondition failed: UID in precondition");
    const json::value* finalizers = kube::find_path(live.body, "metadata.finalizers");
    if (!finalizers)
    {
        erase(kind, key);
        json::object status;
        status["kind"] = "Status";
        status["apiVersion"] = "v1";
        status["metadata"] = json::object();
        status["status"] = "Success";
        return {200, std::move(status)};
    }
    json::object after = live.body;
    meta_of(after)["deletionTimestamp"] = "2026-11-24T20:17:00Z";
    return put(kind, key, std::move(after), "");
}

std::vector<json::object> fake_storage::list(const std::string& kind, const filter& which) const
{
    std::vector<json::object> out;
    const auto of = objects_.find(kind);
    if (of == objects_.end())
        return out;
    for (const auto& [key, object] : of->second)
    {
        if (which(object))
            out.push_back(object);
    }
    return out;
}

std::size_t fake_storage::position_after(std::uint64_t version) const
{
    const auto at = std::partition_point(history_.begin(), history_.end(), [&](const storage_event& each) {
        return each.version <= version;
    });
    return static_cast<std::size_t>(at - history_.begin());
}

void fake_storage::compact()
{
    version_ += 5;
    oldest_ = version_;
}

void fake_storage::turn_back(std::uint64_t to)
{
    version_ = to;
    oldest_ = to;
    history_.clear();
}

storage_answer fake_storage::put(
    const std::string& kind, const object_key& key, json::object after, const std::string& manager
)
{
    std::optional<json::object> before;
    if (const storage_answer live = get(kind, key); live.good())
        before = live.body;
    json::object& meta = meta_of(after);
    if (before)
    {
        for (const char* kept : {"uid", "creationTimestamp", "generation", "resourceVersion"})
            meta[kept] = before->at("metadata").at(kept);
        if (same_but_version(*before, after))
            return {200, *before};
        const auto spec_of = [](json::object& of) {
            return of.contains("spec") ? of["spec"] : json::value();
        };
        if (spec_of(*before) != spec_of(after))
            meta["generation"] = meta["generation"].as_int64() + 1;
    }
    else
    {
        meta["uid"] = "uid-" + std::to_string(++last_uid_);
        meta["creationTimestamp"] = "2026-11-24T20:00:00Z";
        meta["generation"] = std::int64_t{1};
        owners_.erase({kind, key});
    }
    const bool over = meta.contains("deletionTimestamp") && !meta.contains("finalizers");
    if (over)
    {
        erase(kind, key);
        return {200, std::move(after)};
    }
    meta["resourceVersion"] = std::to_string(version_ + 1);
    if (!manager.empty())
    {
        const auto before_fields = before ? leaves_of(*before) : leaves();
        for (const auto& [path, value] : leaves_of(after))
        {
            const auto held = before_fields.find(path);
            if (held == before_fields.end() || held->second != value)
                owners_[{kind, key}][path] = {manager};
        }
    }
    objects_[kind][key] = after;
    record(kind, std::move(before), after);
    return {200, std::move(after)};
}

void fake_storage::erase(const std::string& kind, object_key key)
{
    json::object last = std::move(objects_[kind][key]);
    objects_[kind].erase(key);
    owners_.erase({kind, key});
    record(kind, std::move(last), std::nullopt);
}

void fake_storage::record(
    const std::string& kind, std::optional<json::object> before, std::optional<json::object> after
)
{
    ++version_;
    history_.push_back({version_, kind, std::move(before), std::move(after)});
    on_change_();
}

}  // namespace portitor::test
