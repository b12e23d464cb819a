#include "offer/drift.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Lists of the metadata are shared with others: ours must be in it, more may be.
bool holds_each(const json::array& live, const json::array& wanted)
{
    return std::all_of(wanted.begin(), wanted.end(), [&](const json::value& each) {
        return std::any_of(live.begin(), live.end(), [&](const json::value& held) {
            return kube::contains(held, each);
        });
    });
}

bool holds_metadata(const json::object& live, const json::object& desired)
{
    return kube::contains(
               kube::object_at(live, "metadata.labels"), kube::object_at(desired, "metadata.labels")
           ) &&
           kube::contains(
               kube::object_at(live, "metadata.annotations"), kube::object_at(desired, "metadata.annotations")
           ) &&
           holds_each(
               kube::array_at(live, "metadata.ownerReferences"),
               kube::array_at(desired, "metadata.ownerReferences")
           ) &&
           holds_each(
               kube::array_at(live, "metadata.finalizers"), kube::array_at(desired, "metadata.finalizers")
           );
}

std::string escaped(std::string_view key)
{
    std::string out;
    for (const char c : key)
    {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

void collect_foreign(
    const json::object& live,
    const json::object& desired,
    const std::string& at,
    std::vector<std::string>& out
)
{
    for (const auto& [key, value] : live)
    {
        const std::string pointer = at + "/" + escaped(key);
        const json::value* wanted = desired.if_contains(key);
        if (!wanted)
            out.push_back(pointer);
        else if (wanted->is_object() && value.is_object())
            collect_foreign(value.get_object(), wanted->get_object(), pointer, out);
    }
}

// Its name holds a dot, so it is no path.
std::string hash_of(const json::object& object)
{
    const json::value* hash =
        kube::object_at(object, "metadata.annotations").if_contains(api::desired_hash_annotation);
    return hash && hash->is_string() ? std::string(hash->get_string()) : std::string();
}

// JSON pointers to the members of the live spec that `desired` does not have, outside of lists: those stay
// through a server-side apply.
std::vector<std::string> foreign_fields(const kube::object& live, const json::object& desired)
{
    std::vector<std::string> out;
    collect_foreign(live.spec(), desired.at("spec").as_object(), "/spec", out);
    return out;
}

}  // namespace

bool differs(const kube::object& live, const json::object& desired)
{
    return !holds_metadata(live.raw, desired) || live.spec() != desired.at("spec").as_object();
}

std::optional<change> change_to(const kube::object* live, json::object desired)
{
    if (live && (live->meta.deleted || !differs(*live, desired)))
        return std::nullopt;
    change out{std::move(desired), {}, {}};
    if (live)
    {
        out.foreign = foreign_fields(*live, out.desired);
        out.uid = live->meta.uid;
    }
    return out;
}

bool was_edited(const kube::object& live, const json::object& desired)
{
    return hash_of(live.raw) == hash_of(desired) && differs(live, desired);
}

}  // namespace portitor::offer
