#include "sandbox/storage.hpp"

#include "sandbox/json_patch.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace portitor::sandbox {

namespace json = boost::json;
using kube::object_key;

namespace {

constexpr std::string_view token_start = "page+/=";

json::object& meta_of(json::object& object)
{
    json::value& meta = object["metadata"];
    if (!meta.is_object())
        meta = json::object();
    return meta.get_object();
}

answer not_found(const kind_info& of, const object_key& key)
{
    const std::string plural = of.group.empty() ? of.plural : of.plural + "." + of.group;
    return refusal(404, "NotFound", fmt::format("{} \"{}\" not found", plural, key.name));
}

answer modified()
{
    return refusal(
        409, "Conflict", "the object has been modified; please apply your changes to the latest version"
    );
}

answer uid_is_immutable(const std::string& uid)
{
    json::array causes;
    const std::string message = fmt::format("Invalid value: \"{}\": field is immutable", uid);
    causes.push_back(cause("FieldValueInvalid", message, "metadata.uid"));
    return refusal(422, "Invalid", "metadata.uid: field is immutable", std::move(causes));
}

std::set<std::string> finalizers_of(const json::object& object)
{
    std::set<std::string> out;
    const json::value* list = kube::find_path(object, "metadata.finalizers");
    if (!list || !list->is_array())
        return out;
    for (const json::value& each : list->get_array())
    {
        if (each.is_string())
            out.emplace(each.get_string());
    }
    return out;
}

bool is_terminating(const json::object& object)
{
    return kube::find_path(object, "metadata.deletionTimestamp") != nullptr;
}

// What a change of gives the object a new generation.
json::object generation_part(const kind_info& of, json::object object)
{
    object.erase("metadata");
    if (of.has_status)
        object.erase("status");
    return object;
}

// The API server writes in this order, and readers choose by the metadata what they read of the rest.
json::object in_order(const kind_info& of, json::object object)
{
    json::object out;
    out["apiVersion"] = of.api_version();
    out["kind"] = of.kind;
    for (const char* name : {"metadata", "spec"})
    {
        if (json::value* held = object.if_contains(name))
            out[name] = std::move(*held);
    }
    for (auto& [name, value] : object)
    {
        if (!out.contains(name))
            out[name] = std::move(value);
    }
    return out;
}

bool is_of_status(const field_path& path)
{
    return path.front().name == "status";
}

}  // namespace

std::optional<std::uint64_t> parse_version(std::string_view text)
{
    std::uint64_t out = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (ec != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return out;
}

storage::storage(const clock& wall, storage_limits limits, std::function<void()> on_change)
    : wall_(wall), limits_(limits), on_change_(std::move(on_change))
{}

const kind_info* storage::find_kind(const std::string& kind) const
{
    const auto at = kinds_.find(kind);
    return at == kinds_.end() ? nullptr : &at->second;
}

void storage::add_kind(kind_info kind)
{
    kinds_[kind.id()] = std::move(kind);
}

void storage::drop_kind(const std::string& kind)
{
    while (!objects_[kind].empty())
        erase(kind, object_key(objects_[kind].begin()->first));
    kinds_.erase(kind);
    if (on_change_)
        on_change_();
}

const storage::entry* storage::find(const std::string& kind, const object_key& key) const
{
    const auto of = objects_.find(kind);
    if (of == objects_.end())
        return nullptr;
    const auto at = of->second.find(key);
    return at == of->second.end() ? nullptr : &at->second;
}

answer storage::get(const std::string& kind, const object_key& key) const
{
    const kind_info* of = find_kind(kind);
    if (!of || of->namespaced == key.ns.empty())
        return no_such_resource();
    const entry* live = find(kind, key);
    if (!live)
        return not_found(*of, key);
    return {200, *live->object};
}

answer storage::create(
    const std::string& kind, const std::string& ns, json::object wanted, const std::string& manager
)
{
    const object_key key{ns, kube::string_at(wanted, "metadata.name")};
    const kind_info* of = find_kind(kind);
    if (!of || of->namespaced == ns.empty())
        return no_such_resource();
    if (key.name.empty())
        return refusal(422, "Invalid", "metadata.name: Required value: name or generateName is required");
    if (find(kind, key))
        return refusal(409, "AlreadyExists", fmt::format("{} \"{}\" already exists", of->plural, key.name));
    if (of->has_status)
        wanted.erase("status");
    answer made = write(*of, key, std::move(wanted), manager);
    if (made.good())
        made.code = 201;
    return made;
}

answer storage::replace(
    const std::string& kind, const object_key& key, json::object wanted, const std::string& manager
)
{
    const answer live = get(kind, key);
    if (!live.good())
        return live;
    const kind_info& of = *find_kind(kind);
    const std::string seen = kube::string_at(wanted, "metadata.resourceVersion");
    const std::string uid = kube::string_at(wanted, "metadata.uid");
    if (!uid.empty() && uid != kube::string_at(live.body, "metadata.uid"))
        return refusal(409, "Conflict", "Precondition failed: UID in precondition");
    if (seen.empty())
        return refusal(
            422, "Invalid", "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
        );
    if (seen != kube::string_at(live.body, "metadata.resourceVersion"))
        return modified();
    if (of.has_status)
    {
        wanted.erase("status");
        if (const json::value* status = live.body.if_contains("status"))
            wanted["status"] = *status;
    }
    return write(of, key, std::move(wanted), manager);
}

answer storage::patch(
    const std::string& kind, const object_key& key, const json::array& operations, const std::string& manager
)
{
    const answer live = get(kind, key);
    if (!live.good())
        return live;
    json::object after = live.body;
    if (const auto patched = apply_patch(after, operations); !patched)
        return refusal(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request: " + patched.error().message()
        );
    for (const char* fixed : {"metadata.name", "metadata.namespace", "metadata.uid"})
    {
        if (kube::string_at(after, fixed) != kube::string_at(live.body, fixed))
            return refusal(422, "Invalid", fmt::format("{}: field is immutable", fixed));
    }
    return replace(kind, key, std::move(after), manager);
}

std::optional<answer>
storage::refuse_apply(const kind_info& of, const entry* live, const json::object& wanted)
{
    const std::string uid = kube::string_at(wanted, "metadata.uid");
    const std::string seen = kube::string_at(wanted, "metadata.resourceVersion");
    if (!live && !uid.empty())
        return refusal(
            409,
            "Conflict",
            "uid mismatch: the provided object specified uid " + uid + ", and no existing object was found"
        );
    if (live && !uid.empty() && uid != kube::string_at(*live->object, "metadata.uid"))
        return uid_is_immutable(uid);
    if (live && !seen.empty() && seen != kube::string_at(*live->object, "metadata.resourceVersion"))
        return modified();
    const json::value* spec = wanted.if_contains("spec");
    if (of.spec_fields.empty() || !spec || !spec->is_object())
        return std::nullopt;
    for (const auto& [name, value] : spec->get_object())
    {
        if (!of.spec_fields.contains(std::string(name)))
            return refusal(
                400,
                "BadRequest",
                fmt::format("strict decoding error: unknown field \"spec.{}\"", std::string(name))
            );
    }
    return std::nullopt;
}

json::array storage::claim(
    ownership& owners,
    const std::vector<leaf>& wanted,
    const leaf_map& live,
    const std::string& manager,
    const std::string& api_version
)
{
    json::array conflicts;
    const owner mine{manager, true};
    for (const leaf& each : wanted)
    {
        const auto held = live.find(each.path);
        std::set<owner>& of = owners[each.path];
        if (held != live.end() && held->second == each.value)
        {
            of.insert(mine);
            continue;
        }
        for (const owner& other : of)
        {
            if (other == mine)
                continue;
            const std::string message =
                fmt::format("conflict with \"{}\" using {}", other.manager, api_version);
            conflicts.push_back(cause("FieldManagerConflict", message, to_text(each.path)));
        }
        of = {mine};
    }
    return conflicts;
}

answer storage::apply(
    const std::string& kind, const object_key& key, json::object wanted, const kube::apply_options& how
)
{
    const kind_info* of = find_kind(kind);
    const bool status = how.subresource == "status";
    if (!of || of->namespaced == key.ns.empty() || (!how.subresource.empty() && !(status && of->has_status)))
        return no_such_resource();
    if (how.field_manager.empty())
        return refusal(422, "Invalid", "fieldManager: Required value: is required for apply patch");
    const entry* live = find(kind, key);
    if (!live && status)
        return not_found(*of, key);
    if (auto refused = refuse_apply(*of, live, wanted))
        return std::move(*refused);

    const auto is_foreign = [&](const field_path& path) {
        return of->has_status && is_of_status(path) != status;
    };
    std::vector<leaf> fields = leaves_of(wanted, of->lists);
    std::erase_if(fields, [&](const leaf& each) { return is_foreign(each.path); });
    ownership owners = live ? live->owners : ownership();
    const leaf_map held = live ? by_path(leaves_of(*live->object, of->lists)) : leaf_map();
    json::array conflicts = claim(owners, fields, held, how.field_manager, of->api_version());
    if (!conflicts.empty() && !how.force)
    {
        const std::string message = fmt::format("Apply failed with {} conflict(s)", conflicts.size());
        return refusal(409, "Conflict", message, std::move(conflicts));
    }

    json::object after = live ? *live->object : json::object();
    std::set<field_path> named;
    for (const leaf& each : fields)
    {
        set_leaf(after, each.path, each.value);
        named.insert(each.path);
    }
    // What this manager wanted before and does not want any more goes, unless somebody else wants it too.
    std::vector<field_path> gone;
    for (auto& [path, who] : owners)
    {
        if (!named.contains(path) && !is_foreign(path) && who.erase({how.field_manager, true}) > 0 &&
            who.empty())
            gone.push_back(path);
    }
    std::erase_if(owners, [](const auto& each) { return each.second.empty(); });
    erase_leaves(after, std::move(gone));
    order_lists(after, wanted, of->lists);

    answer prepared = prepare(*of, key, live, std::move(after));
    const unsigned code = live ? 200 : 201;
    if (prepared.good() && !how.dry_run)
        prepared = commit(*of, key, std::move(prepared), std::move(owners));
    if (prepared.good())
        prepared.code = code;
    return prepared;
}

answer storage::remove(const std::string& kind, const object_key& key, const json::object& options)
{
    answer live = get(kind, key);
    if (!live.good())
        return live;
    const std::string uid = kube::string_at(options, "preconditions.uid");
    const std::string version = kube::string_at(options, "preconditions.resourceVersion");
    if (!uid.empty() && uid != kube::string_at(live.body, "metadata.uid"))
        return refusal(409, "Conflict", "Precondition failed: UID in precondition");
    if (!version.empty() && version != kube::string_at(live.body, "metadata.resourceVersion"))
        return refusal(409, "Conflict", "Precondition failed: ResourceVersion in precondition");
    if (finalizers_of(live.body).empty())
    {
        erase(kind, key);
        return {200, {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Success"}}};
    }
    if (is_terminating(live.body))
        return live;
    json::object& meta = meta_of(live.body);
    meta["deletionTimestamp"] = to_rfc3339(wall_.now());
    meta["deletionGracePeriodSeconds"] = 0;
    meta["generation"] = kube::int_at(live.body, "metadata.generation") + 1;
    ownership owners = find(kind, key)->owners;
    return commit(*find_kind(kind), key, std::move(live), std::move(owners));
}

stored_page storage::list(
    const std::string& kind,
    const kube::object_predicate& which,
    const kube::list_position& from,
    std::size_t limit
)
{
    stored_page out;
    const auto version = parse_version(from.resource_version.empty() ? "0" : from.resource_version);
    if (!knows(kind))
        out.refused = no_such_resource();
    else if (!from.continue_token.empty() && !from.resource_version.empty())
        out.refused =
            refusal(400, "BadRequest", "specifying resource version is not allowed when using continue");
    else if (!version)
        out.refused = refusal(400, "BadRequest", "resourceVersion: Invalid value");
    else if (*version > version_)
        out.refused = too_large(from.resource_version);
    if (out.refused)
        return out;
    if (!from.continue_token.empty())
        return read_on(from.continue_token, limit);

    snapshot all{version_, {}};
    for (const auto& [key, each] : objects_[kind])
    {
        if (which(*each.object))
            all.items.push_back(each.object);
    }
    if (limit == 0 || all.items.size() <= limit)
    {
        out.version = all.version;
        out.items = std::move(all.items);
        return out;
    }
    lists_.emplace(++last_list_, std::move(all));
    if (lists_.size() > limits_.lists)
        lists_.erase(lists_.begin());
    return page_of(last_list_, 0, limit);
}

stored_page storage::read_on(std::string_view token, std::size_t limit) const
{
    const auto dot = token.find('.');
    if (token.starts_with(token_start) && dot != token.npos)
    {
        const auto list = parse_version(token.substr(token_start.size(), dot - token_start.size()));
        const auto place = parse_version(token.substr(dot + 1));
        if (list && place && lists_.contains(*list))
            return page_of(*list, *place, limit);
    }
    stored_page out;
    out.refused = too_old("The provided continue parameter is too old");
    return out;
}

stored_page storage::page_of(std::uint64_t list, std::size_t place, std::size_t limit) const
{
    const snapshot& all = lists_.at(list);
    const std::size_t begin = std::min(place, all.items.size());
    const std::size_t end = begin + std::min(limit, all.items.size() - begin);
    stored_page out;
    out.version = all.version;
    for (std::size_t i = begin; i < end; ++i)
        out.items.push_back(all.items[i]);
    out.remaining = all.items.size() - end;
    if (out.remaining > 0)
        out.continue_token = fmt::format("{}{}.{}", token_start, list, end);
    return out;
}

const stored_change* storage::next_change(std::uint64_t after) const
{
    const auto at = std::partition_point(history_.begin(), history_.end(), [&](const stored_change& each) {
        return each.version <= after;
    });
    return at == history_.end() ? nullptr : &*at;
}

void storage::compact()
{
    version_ += 5;
    oldest_ = version_;
    lists_.clear();
}

void storage::turn_back(std::uint64_t to)
{
    version_ = to;
    oldest_ = to;
    forgotten_ = 0;
    history_.clear();
}

answer
storage::prepare(const kind_info& of, const object_key& key, const entry* live, json::object after) const
{
    json::object& meta = meta_of(after);
    meta.erase("managedFields");
    meta["name"] = key.name;
    if (of.namespaced)
        meta["namespace"] = key.ns;
    const json::object* before = live ? &live->object->at("metadata").get_object() : nullptr;
    for (const char* fixed :
         {"uid",
          "creationTimestamp",
          "generation",
          "resourceVersion",
          "deletionTimestamp",
          "deletionGracePeriodSeconds"})
    {
        const json::value* held = before ? before->if_contains(fixed) : nullptr;
        if (held)
            meta[fixed] = *held;
        else
            meta.erase(fixed);
    }
    const auto finalizers = finalizers_of(after);
    if (finalizers.empty())
        meta.erase("finalizers");
    if (!live)
    {
        meta["uid"] = fmt::format("00000000-0000-4000-8000-{:012x}", last_uid_ + 1);
        meta["creationTimestamp"] = to_rfc3339(wall_.now());
        meta["generation"] = std::int64_t{1};
    }
    else
    {
        const auto old = finalizers_of(*live->object);
        if (is_terminating(*live->object) &&
            !std::includes(old.begin(), old.end(), finalizers.begin(), finalizers.end()))
            return refusal(
                422,
                "Invalid",
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
                "deleted"
            );
    }
    after = in_order(of, std::move(after));
    if (live && generation_part(of, *live->object) != generation_part(of, after))
        meta_of(after)["generation"] = kube::int_at(*live->object, "metadata.generation") + 1;
    if (json::serialize(after).size() > limits_.object_bytes)
        return refusal(413, "RequestEntityTooLarge", "the object is too large");
    if (!live && count_ >= limits_.objects)
        return refusal(507, "InsufficientStorage", "the sandbox is full");
    return {200, std::move(after)};
}

answer storage::commit(const kind_info& of, const object_key& key, answer prepared, ownership owners)
{
    const std::string id = of.id();
    entries& all = objects_[id];
    const auto at = all.find(key);
    shared_object before = at == all.end() ? nullptr : at->second.object;
    if (before && *before == prepared.body)
    {
        at->second.owners = std::move(owners);
        return prepared;
    }
    json::object& meta = meta_of(prepared.body);
    meta["resourceVersion"] = std::to_string(version_ + 1);
    if (is_terminating(prepared.body) && !meta.contains("finalizers"))
    {
        erase(id, key);
        return prepared;
    }
    if (!before)
    {
        ++last_uid_;
        ++count_;
    }
    auto after = std::make_shared<const json::object>(prepared.body);
    all[key] = {after, std::move(owners)};
    record(id, std::move(before), std::move(after));
    return prepared;
}

answer
storage::write(const kind_info& of, const object_key& key, json::object after, const std::string& manager)
{
    const entry* live = find(of.id(), key);
    answer prepared = prepare(of, key, live, std::move(after));
    if (!prepared.good())
        return prepared;
    ownership owners = live ? live->owners : ownership();
    const leaf_map held = live ? by_path(leaves_of(*live->object, of.lists)) : leaf_map();
    const leaf_map fields = by_path(leaves_of(prepared.body, of.lists));
    std::erase_if(owners, [&](const auto& each) { return !fields.contains(each.first); });
    for (const auto& [path, value] : fields)
    {
        const auto old = held.find(path);
        if (old == held.end() || old->second != value)
            owners[path] = {{manager, false}};
    }
    return commit(of, key, std::move(prepared), std::move(owners));
}

void storage::erase(const std::string& kind, const object_key& key)
{
    entries& all = objects_[kind];
    const auto at = all.find(key);
    shared_object last = std::move(at->second.object);
    all.erase(at);
    --count_;
    record(kind, std::move(last), nullptr);
}

void storage::record(const std::string& kind, shared_object before, shared_object after)
{
    history_.push_back({++version_, kind, std::move(before), std::move(after)});
    if (history_.size() > limits_.history)
    {
        forgotten_ = history_.front().version;
        history_.pop_front();
    }
    if (on_change_)
        on_change_();
}

}  // namespace portitor::sandbox
