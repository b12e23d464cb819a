#include "cli/yaml.hpp"

#include <portitor/core/characters.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

namespace portitor::cli {

namespace json = boost::json;

namespace {

constexpr int deepest = 64;
// Aliases make much out of little.
constexpr int most_nodes = 100'000;

json::value plain_scalar(const std::string& text)
{
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
        return nullptr;
    if (text == "true" || text == "True" || text == "TRUE")
        return true;
    if (text == "false" || text == "False" || text == "FALSE")
        return false;
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    // A number that is too long stays text: addresses are written without quotes, too.
    if (text.size() > 2 && (text.starts_with("0x") || text.starts_with("0o")) && text[2] != '-')
    {
        const auto read = std::from_chars(text.data() + 2, end, integer, text[1] == 'x' ? 16 : 8);
        return read.ec == std::errc() && read.ptr == end ? json::value(integer) : json::value(text);
    }
    // Lets "nan" and "inf" be text: in YAML they are written with a point, and JSON has neither.
    if (text.find_first_not_of("0123456789.eE+-") != text.npos)
        return json::value(text);
    const char* begin = text.data();
    if (*begin == '+' && text.size() > 1 && text[1] != '-')
        ++begin;
    if (const auto read = std::from_chars(begin, end, integer); read.ec == std::errc() && read.ptr == end)
        return integer;
    double real = 0;
    if (const auto read = std::from_chars(begin, end, real); read.ec == std::errc() && read.ptr == end)
        return real;
    return json::value(text);
}

class converter
{
public:
    /// @param size of the text: aliases may make a few times as much of it
    converter(plain_scalars how, std::size_t size) : how_(how), bytes_left_(4 * size + 65'536) {}

    result<json::value> convert(const YAML::Node& node, int depth = 0)
    {
        if (depth > deepest)
            return refuse(node, "nested too deeply");
        if (++nodes_ > most_nodes)
            return refuse(node, "too long");
        switch (node.Type())
        {
        case YAML::NodeType::Scalar:
            // Each alias of a long scalar is a copy.
            if (node.Scalar().size() > bytes_left_)
                return refuse(node, "too long, by its aliases");
            bytes_left_ -= node.Scalar().size();
            return convert_scalar(node);
        case YAML::NodeType::Sequence:
            return convert_sequence(node, depth);
        case YAML::NodeType::Map:
            return convert_map(node, depth);
        default:
            return json::value(nullptr);
        }
    }

private:
    static error refuse(const YAML::Node& node, std::string_view why)
    {
        return fail(errc::invalid, "line {}: {}", node.Mark().line + 1, why);
    }

    json::value convert_scalar(const YAML::Node& node) const
    {
        // "!" marks a quoted scalar.
        const bool is_text =
            how_ == plain_scalars::as_text || node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
        return is_text ? json::value(node.Scalar()) : plain_scalar(node.Scalar());
    }

    result<json::value> convert_sequence(const YAML::Node& node, int depth)
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

    result<json::value> convert_map(const YAML::Node& node, int depth)
    {
        json::object out;
        for (const auto& each : node)
        {
            if (!each.first.IsScalar())
                return refuse(each.first, "a key must be text");
            const std::string& key = each.first.Scalar();
            if (out.contains(key))
                return refuse(each.first, fmt::format("the key \"{}\" comes twice", key));
            auto item = convert(each.second, depth + 1);
            if (!item)
                return item;
            out[key] = std::move(*item);
        }
        return json::value(std::move(out));
    }

    const plain_scalars how_;
    int nodes_ = 0;
    std::size_t bytes_left_;
};

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

result<std::vector<json::value>> parse_yaml(const std::string& text, plain_scalars how)
{
    std::vector<json::value> out;
    try
    {
        converter reader(how, text.size());
        for (const YAML::Node& document : YAML::LoadAll(text))
        {
            auto value = reader.convert(document);
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

}  // namespace portitor::cli
