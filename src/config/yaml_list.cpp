#include "config/yaml_list.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

namespace portitor::config {

result<void> check_list(const YAML::Node& list)
{
    if (!list.IsDefined() || list.IsNull() || list.IsSequence())
        return {};
    return fail(errc::invalid, "line {}: a list is wanted", list.Mark().line + 1);
}

section_reader read_list(section_reader read)
{
    return [read = std::move(read)](const YAML::Node& list) {
        auto shaped = check_list(list);
        return shaped ? read(list) : shaped;
    };
}

result<void> only_keys(const YAML::Node& entry, std::initializer_list<std::string_view> known)
{
    if (!entry.IsMap())
        return fail(errc::invalid, "line {}: each entry is a mapping", entry.Mark().line + 1);
    std::set<std::string> seen;
    for (const auto& pair : entry)
    {
        const std::string& key = pair.first.Scalar();
        const int line = pair.first.Mark().line + 1;
        if (std::find(known.begin(), known.end(), key) == known.end())
            return fail(errc::invalid, "line {}: unknown key \"{}\"", line, key);
        if (!seen.insert(key).second)
            return fail(errc::invalid, "line {}: \"{}\" comes twice", line, key);
    }
    return {};
}

result<std::string> required_text(const YAML::Node& entry, const char* key)
{
    const YAML::Node value = entry[key];
    if (!value || !value.IsScalar() || value.Scalar().empty())
        return fail(errc::invalid, "line {}: each entry needs \"{}\"", entry.Mark().line + 1, key);
    return value.Scalar();
}

result<std::string> optional_text(const YAML::Node& entry, const char* key)
{
    const YAML::Node value = entry[key];
    if (!value)
        return std::string();
    if (!value.IsScalar())
        return fail(errc::invalid, "line {}: \"{}\" is a text", value.Mark().line + 1, key);
    return value.Scalar();
}

result<std::vector<std::string>> texts(const YAML::Node& entry, const char* key)
{
    std::vector<std::string> out;
    const YAML::Node list = entry[key];
    if (!list)
        return out;
    if (!list.IsSequence())
        return fail(errc::invalid, "line {}: \"{}\" is a list", list.Mark().line + 1, key);
    for (const auto& each : list)
    {
        if (!each.IsScalar() || each.Scalar().empty())
            return fail(errc::invalid, "line {}: \"{}\" is a list of texts", each.Mark().line + 1, key);
        out.push_back(each.Scalar());
    }
    return out;
}

}  // namespace portitor::config
