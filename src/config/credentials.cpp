#include "config/yaml_list.hpp"

#include <portitor/config/credentials.hpp>

#include <yaml-cpp/yaml.h>

namespace portitor::config {

namespace {

result<void> read_credentials(const YAML::Node& list, std::vector<credential_entry>& into)
{
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "file", "namespaces"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto file = required_text(entry, "file");
        auto namespaces = texts(entry, "namespaces");
        if (!name || !file || !namespaces)
            return !name ? name.error() : !file ? file.error() : namespaces.error();
        into.push_back({*name, *file, *namespaces});
    }
    return {};
}

}  // namespace

void credential_list::declare(loader& into)
{
    into.add(section{
        "credentials",
        read_list([this](const YAML::Node& list) { return read_credentials(list, entries); }),
        [this] { entries.clear(); }});
}

}  // namespace portitor::config
