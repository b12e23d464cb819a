#include "cli/yaml.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace portitor::cli {

namespace json = boost::json;

namespace {

// Whether every YAML parser reads this as text when it stands without quotes. Those of version 1.1 take
// "0x1F", "1:30", "yes" and dates for something else, so nothing that begins like a number stays bare.
bool is_safe_plain(const std::string& text)
{
    static const std::set<std::string> words{"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
        return std::tolower(c);
    });
    if (text.empty() || words.contains(lower))
        return false;
    const auto first = static_cast<unsigned char>(text.front());
    return (std::isalpha(first) != 0 || first == '/' || first == '_') &&
           text.find_first_of(":#\n") == text.npos;
}

void emit(YAML::Emitter& out, const json::value& value)
{
    switch (value.kind())
    {
    case json::kind::object:
        if (value.get_object().empty())
            out << YAML::Flow;
        out << YAML::BeginMap;
        for (const auto& [key, member] : value.get_object())
        {
            out << YAML::Key << std::string(key) << YAML::Value;
            emit(out, member);
        }
        out << YAML::EndMap;
        break;
    case json::kind::array:
        if (value.get_array().empty())
            out << YAML::Flow;
        out << YAML::BeginSeq;
        for (const json::value& each : value.get_array())
            emit(out, each);
        out << YAML::EndSeq;
        break;
    case json::kind::string: {
        const std::string text(value.get_string());
        if (is_safe_plain(text))
            out << text;
        else
            out << YAML::DoubleQuoted << text;
        break;
    }
    case json::kind::bool_:
        out << value.get_bool();
        break;
    case json::kind::int64:
        out << value.get_int64();
        break;
    case json::kind::uint64:
        out << value.get_uint64();
        break;
    case json::kind::double_:
        out << value.get_double();
        break;
    case json::kind::null:
        out << YAML::Null;
        break;
    }
}

}  // namespace

std::string to_yaml(const json::value& value)
{
    YAML::Emitter out;
    emit(out, value);
    return std::string(out.c_str()) + "\n";
}

}  // namespace portitor::cli
