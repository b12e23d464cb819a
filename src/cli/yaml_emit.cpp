#include "cli/yaml.hpp"

#include <portitor/core/characters.hpp>

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

bool hides_something(std::string_view text)
{
    while (!text.empty())
    {
        const character next = first_character(text);
        // Line breaks and the like are escaped anyway.
        if (!next.is_good || (is_hidden(next.point) && next.point >= 0x20))
            return true;
        text.remove_prefix(next.bytes.size());
    }
    return false;
}

// It may stand on a terminal, and nothing in it may move the cursor or turn the text around.
void emit_text(YAML::Emitter& out, const std::string& text)
{
    if (hides_something(text))
        out << YAML::EscapeNonAscii << YAML::DoubleQuoted << text;
    else if (is_safe_plain(text))
        out << text;
    else
        out << YAML::DoubleQuoted << text;
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
            out << YAML::Key;
            if (hides_something(key))
                emit_text(out, std::string(key));
            else
                out << std::string(key);
            out << YAML::Value;
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
    case json::kind::string:
        emit_text(out, std::string(value.get_string()));
        break;
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
