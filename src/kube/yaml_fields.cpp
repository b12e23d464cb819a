#include "kube/yaml_fields.hpp"

#include <charconv>
#include <cmath>

namespace portitor::kube {

namespace json = boost::json;

namespace {

constexpr int max_depth = 32;

json::value scalar_to_json(const YAML::Node& node)
{
    const std::string& text = node.Scalar();
    // "!" is the tag of what stands in quotes.
    if (node.Tag() == "!")
        return json::value(text);
    if (text == "true" || text == "false")
        return text == "true";
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end)
        return whole;
    double number = 0;
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && std::isfinite(number))
        return number;
    return json::value(text);
}

json::value to_json(const YAML::Node& node, int depth)
{
    // An alias to what it stands in has no end.
    if (depth > max_depth)
        throw bad_configuration{"is nested too deeply"};
    if (node.IsScalar())
        return scalar_to_json(node);
    if (node.IsSequence())
    {
        json::array out;
        for (const auto& each : node)
            out.push_back(to_json(each, depth + 1));
        return out;
    }
    if (node.IsMap())
    {
        json::object out;
        for (const auto& each : node)
            out[each.first.Scalar()] = to_json(each.second, depth + 1);
        return out;
    }
    return nullptr;
}

}  // namespace

error refuse_yaml(const std::string& path, const YAML::Exception& wrong)
{
    const std::string said = wrong.msg.substr(0, wrong.msg.find(':'));
    return fail(errc::invalid, "kubeconfig {}:{}: {}", path, wrong.mark.line + 1, said);
}

bool is_given(const YAML::Node& field)
{
    if (!field.IsDefined() || field.IsNull())
        return false;
    return field.IsScalar() ? !field.Scalar().empty() : field.size() > 0;
}

std::string text_of(const YAML::Node& parent, const std::string& name, const std::string& field)
{
    const YAML::Node found = parent[name];
    if (!is_given(found))
        return {};
    if (!found.IsScalar())
        throw bad_configuration{"has a " + field + " that is no text"};
    return found.Scalar();
}

bool flag_of(const YAML::Node& parent, const std::string& name, const std::string& field)
{
    const std::string text = text_of(parent, name, field);
    if (text != "true" && text != "false" && !text.empty())
        throw bad_configuration{"has a " + field + " that is neither true nor false"};
    return text == "true";
}

json::value to_json(const YAML::Node& node)
{
    return to_json(node, 0);
}

}  // namespace portitor::kube
