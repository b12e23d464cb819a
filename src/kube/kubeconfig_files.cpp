#include "kube/yaml_fields.hpp"

#include <portitor/core/small_file.hpp>
#include <portitor/kube/kubeconfig_files.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

namespace portitor::kube {

namespace {

/// One file: its contexts and which of them is current.
struct read_file
{
    std::string path;
    YAML::Node document;
};

/// The names in $KUBECONFIG, or the usual one.
std::vector<std::string> usual_paths()
{
    std::vector<std::string> out;
    const char* listed = std::getenv("KUBECONFIG");
    std::string_view rest = listed ? listed : "";
    while (!rest.empty())
    {
        const std::string_view path = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(path.size() + 1, rest.size()));
        if (!path.empty())
            out.emplace_back(path);
    }
    const char* home = std::getenv("HOME");
    if (out.empty() && home && *home)
        out.push_back(std::string(home) + "/.kube/config");
    return out;
}

result<read_file> parse(const std::string& path)
{
    const auto text = read_small_file(path);
    if (!text)
        return text.error().within("kubeconfig");
    try
    {
        read_file out{path, YAML::Load(*text)};
        if (!out.document.IsMap())
            return fail(errc::invalid, "kubeconfig {} is no YAML mapping", path);
        return out;
    }
    catch (const YAML::Exception& bad)
    {
        return refuse_yaml(path, bad);
    }
}

/// What a file says of a context; nothing where it does not have it.
YAML::Node context_of(const read_file& file, const std::string& name)
{
    const YAML::Node list = file.document["contexts"];
    if (!list || !list.IsSequence())
        return YAML::Node(YAML::NodeType::Undefined);
    for (const auto& entry : list)
    {
        if (entry.IsMap() && entry["name"] && entry["name"].IsScalar() && entry["name"].Scalar() == name)
            return entry["context"];
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

std::string text_at(const YAML::Node& map, const char* key)
{
    const YAML::Node value = map.IsMap() ? map[key] : YAML::Node();
    return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// The first of these that has the context, which is the current one of the first that names one.
kubeconfig_choice choose(const std::vector<read_file>& files, std::string context)
{
    for (const read_file& each : files)
    {
        if (context.empty())
            context = text_at(each.document, "current-context");
    }
    kubeconfig_choice out{files.front().path, context, {}};
    for (const read_file& each : files)
    {
        const YAML::Node found = context_of(each, context);
        if (!found)
            continue;
        out.path = each.path;
        out.ns = text_at(found, "namespace");
        break;
    }
    return out;
}

}  // namespace

result<kubeconfig_choice> find_kubeconfig(const std::string& context)
{
    std::vector<read_file> files;
    for (const std::string& path : usual_paths())
    {
        // kubectl does not mind what is not there.
        std::error_code unseen;
        if (!std::filesystem::exists(path, unseen))
            continue;
        auto read = parse(path);
        if (!read)
            return read.error();
        files.push_back(std::move(*read));
    }
    return files.empty() ? kubeconfig_choice() : choose(files, context);
}

result<kubeconfig_choice> look_at_kubeconfig(const std::string& path, const std::string& context)
{
    auto read = parse(path);
    if (!read)
        return read.error();
    return choose({std::move(*read)}, context);
}

std::string pod_namespace()
{
    if (!std::getenv("KUBERNETES_SERVICE_HOST"))
        return {};
    const auto text = read_small_file("/var/run/secrets/kubernetes.io/serviceaccount/namespace");
    return text ? trimmed(*text) : std::string();
}

}  // namespace portitor::kube
