#include "sandbox/watch_text.hpp"

#include <boost/json/serialize.hpp>

namespace portitor::sandbox {

namespace json = boost::json;

json::object shown(const json::object& object, bool metadata_only)
{
    if (!metadata_only)
        return object;
    return {
        {"kind", "PartialObjectMetadata"},
        {"apiVersion", "meta.k8s.io/v1"},
        {"metadata", object.at("metadata")},
    };
}

std::string event_line(std::string_view type, const json::object& object)
{
    return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, json::serialize(object));
}

std::string change_line(const stored_change& of, const kube::object_predicate& which, bool metadata_only)
{
    const bool before = of.before && which(*of.before);
    const bool after = of.after && which(*of.after);
    if (after)
        return event_line(before ? "MODIFIED" : "ADDED", shown(*of.after, metadata_only));
    if (!before)
        return {};
    json::object last = shown(*of.before, metadata_only);
    last["metadata"].as_object()["resourceVersion"] = std::to_string(of.version);
    return event_line("DELETED", last);
}

std::string bookmark_line(const kind_info& of, std::uint64_t version)
{
    json::object object{{"kind", of.kind}, {"apiVersion", of.api_version()}};
    object["metadata"] = json::object{{"resourceVersion", std::to_string(version)}};
    return event_line("BOOKMARK", object);
}

}  // namespace portitor::sandbox
