#include "roles/once/yaml.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

namespace portitor::once {

namespace json = boost::json;

namespace {

constexpr int deepest = 64;

json::value plain_scalar(const std::string& text)
{
    if (text.empty() || text == "~" || text == "null")
        return nullptr;
    if (text == "true" || text == "false")
        return text == "true";
    std::int64_t integer = 0;
    const char* end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data(), end, integer); read.ec == std::errc() && read.ptr == end)
        return integer;
    double real = 0;
    if (const auto read = std::from_chars(text.data(), end, real); read.ec == std::errc() && read.ptr == end)
        return real;
    return json::value(text);
}

result<json::value> convert(const YAML::Node& node, int depth)
{
    if (depth > deepest)
        return fail(errc::invalid, "line {}: nested too deeply", node.Mark().line + 1);
    switch (node.Type())
    {
    case YAML::NodeType::Scalar:
        // "!" marks a quoted scalar.
        return node.Tag() == "!" ? json::value(node.Scalar()) : plain_scalar(node.Scalar());
    case YAML::NodeType::Sequence:
    {
        json::array out;
        for (const auto& each : node)
        {
            auto item = convert(each, depth + 1);
            if (!item)
                return item;
            out.push_back(std::move(*item));
        }
        return json::value(std::move(out));
    }
    case YAML::NodeType::Map:
    {
        json::object out;
        for (const auto& each : node)
        {
            auto item = convert(each.second, depth + 1);
            if (!item)
                return item;
            out[each.first.Scalar()] = std::move(*item);
        }
        return json::value(std::move(out));
    }
    default: return json::value(nullptr);
    }
}

// Whether every YAML parser reads this as text when it stands without quotes. Those of version 1.1 take "0x1F", "1:30",
// "yes" and dates for something else, so nothing that begins like a number stays bare.
bool is_safe_plain(const std::string& text)
{
    static const std::set<std::string> words{"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (text.empty() || words.contains(lower))
        return false;
    const auto first = static_cast<unsigned char>(text.front());
    return (std::isalpha(first) != 0 || first == '/' || first == '_') && text.find_first_of(":#\n") == text.npos;
}

void emit(YAML::Emitter& out, const json::value& value)
{
    switch (value.kind())
    {
    case json::kind::object:
        out << YAML::BeginMap;
        for (const auto& [key, member] : value.get_object())
        {
            out << YAML::Key << std::string(key) << YAML::Value;
            emit(out, member);
        }
        out << YAML::EndMap;
        break;
    case json::kind::array:
        out << YAML::BeginSeq;
        for (const json::value& each : value.get_array())
            emit(out, each);
        out << YAML::EndSeq;
        break;
    case json::kind::string:
    {
        const std::string text(value.get_string());
        if (is_safe_plain(text))
            out << text;
        else
            out << YAML::DoubleQuoted << text;
        break;
    }
    case json::kind::bool_: out << value.get_bool(); break;
    case json::kind::int64: out << value.get_int64(); break;
    case json::kind::uint64: out << value.get_uint64(); break;
    case json::kind::double_: out << value.get_double(); break;
    case json::kind::null: out << YAML::Null; break;
    }
}

}  // namespace

result<std::vector<json::value>> parse_yaml(const std::string& text)
{
    std::vector<json::value> out;
    try
    {
        for (const YAML::Node& document : YAML::LoadAll(text))
        {
            auto value = convert(document, 0);
            if (!value)
                return value.error();
            if (!value->is_null())
                out.push_back(std::move(*value));
        }
    }
    catch (const YAML::Exception& wrong)
    {
        return fail(errc::invalid, "line {}: {}", wrong.mark.line + 1, wrong.msg);
    }
    return out;
}

std::string to_yaml(const json::value& value)
{
    YAML::Emitter out;
    emit(out, value);
    return std::string(out.c_str()) + "\n";
}

}  // namespace portitor::once
