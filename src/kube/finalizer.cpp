#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/json_patch.hpp>

#include <algorithm>

namespace portitor::kube {

namespace json = boost::json;

namespace {

// The list may have been changed by others, so its places mean nothing without the version.
json::array tests(const object_meta& seen)
{
    json::array out;
    out.push_back(patch_operation("test", "/metadata/uid", json::value(seen.uid)));
    out.push_back(patch_operation("test", "/metadata/resourceVersion", json::value(seen.resource_version)));
    return out;
}

}  // namespace

std::optional<json::array> add_finalizer_patch(const object_meta& seen, std::string_view finalizer)
{
    if (seen.deleted || seen.has_finalizer(finalizer))
        return std::nullopt;
    json::array out = tests(seen);
    if (!seen.finalizers.empty())
    {
        out.push_back(patch_operation("add", "/metadata/finalizers/-", json::value(finalizer)));
        return out;
    }
    json::array list;
    list.emplace_back(finalizer);
    out.push_back(patch_operation("add", "/metadata/finalizers", std::move(list)));
    return out;
}

std::optional<json::array> remove_finalizer_patch(const object_meta& seen, std::string_view finalizer)
{
    const auto at = std::find(seen.finalizers.begin(), seen.finalizers.end(), finalizer);
    if (at == seen.finalizers.end())
        return std::nullopt;
    const std::string path = fmt::format("/metadata/finalizers/{}", at - seen.finalizers.begin());
    json::array out = tests(seen);
    out.push_back(patch_operation("test", path, json::value(finalizer)));
    out.push_back(patch_removal(path));
    return out;
}

}  // namespace portitor::kube
