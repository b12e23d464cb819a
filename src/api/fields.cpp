#include "api/fields.hpp"

#include <portitor/core/characters.hpp>
#include <portitor/core/u256.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace portitor::api {

namespace json = boost::json;

namespace {

bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_alphanumeric(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool all_of(std::string_view text, bool (*test)(char))
{
    return std::all_of(text.begin(), text.end(), test);
}

// The segments between slashes; the text starts with one.
template <typename Test>
bool all_segments(std::string_view path, Test passes)
{
    while (!path.empty())
    {
        path.remove_prefix(1);
        const auto end = std::min(path.find('/'), path.size());
        if (!passes(path.substr(0, end)))
            return false;
        path.remove_prefix(end);
    }
    return true;
}

bool is_plain_segment(std::string_view segment)
{
    return !segment.empty() && segment != "." && segment != "..";
}

}  // namespace

bool is_address(std::string_view text)
{
    return text.size() == 42 && text.starts_with("0x") && all_of(text.substr(2), is_hex);
}

bool is_used_address(std::string_view text)
{
    return is_address(text) && text.find_first_not_of("0x") != text.npos;
}

bool is_name(std::string_view text)
{
    return !text.empty() && text.size() <= 63 && is_lower_or_digit(text.front()) &&
           is_lower_or_digit(text.back()) &&
           all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_hostname(std::string_view text)
{
    if (text.size() > 253 || text.find('.') == text.npos)
        return false;
    for (;;)
    {
        const auto point = text.find('.');
        if (!is_name(text.substr(0, point)))
            return false;
        if (point == text.npos)
            return true;
        text.remove_prefix(point + 1);
    }
}

bool is_caip2(std::string_view text)
{
    const auto colon = text.find(':');
    if (colon == text.npos)
        return false;
    const auto space = text.substr(0, colon);
    const auto reference = text.substr(colon + 1);
    return space.size() >= 3 && space.size() <= 8 && reference.size() >= 1 && reference.size() <= 32 &&
           all_of(space, [](char c) { return is_lower_or_digit(c) || c == '-'; }) &&
           all_of(reference, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_network(std::string_view text)
{
    return is_caip2(text) || is_name(text);
}

bool is_agent_id(std::string_view text)
{
    return parse_u256(text).has_value();
}

bool is_offer_path(std::string_view text)
{
    const auto allowed = [](char c) {
        return is_alphanumeric(c) || c == '/' || c == '_' || c == '.' || c == '~' || c == '-';
    };
    return text.starts_with('/') && all_of(text, allowed) &&
           (text == "/" || all_segments(text, is_plain_segment));
}

bool is_http_url(std::string_view text)
{
    const auto rest = text.starts_with("https://")  ? text.substr(8)
                      : text.starts_with("http://") ? text.substr(7)
                                                    : std::string_view();
    return !rest.empty() && rest.front() != '/' && all_of(rest, [](char c) { return c > ' ' && c < 0x7f; });
}

fields::fields(const json::object& members, std::string path, std::optional<error>& first_wrong)
    : members_(&members), path_(std::move(path)), first_wrong_(&first_wrong)
{}

const json::value* fields::find(std::string_view key) const
{
    const json::value* value = members_->if_contains(json::string_view(key.data(), key.size()));
    return value && !value->is_null() ? value : nullptr;
}

std::string fields::at(std::string_view key) const
{
    return fmt::format("{}.{}", path_, key);
}

void fields::refuse(std::string_view key, std::string_view expected) const
{
    if (!*first_wrong_)
        *first_wrong_ = fail(errc::invalid, "{} must be {}", at(key), expected);
}

std::string fields::text(std::string_view key, std::size_t longest, std::string_view otherwise) const
{
    const json::value* value = find(key);
    if (!value)
        return std::string(otherwise);
    if (!value->is_string())
        refuse(key, "text: put it in quotes");
    else if (count_characters(value->get_string()) > longest)
        refuse(key, fmt::format("at most {} characters long", longest));
    else
        return std::string(value->get_string());
    return std::string(otherwise);
}

std::string fields::text(
    std::string_view key, std::size_t longest, const text_rule& rule, std::string_view otherwise
) const
{
    std::string value = text(key, longest, otherwise);
    if (!value.empty() && !rule.passes(value))
        refuse(key, fmt::format("{}; it is \"{}\"", rule.expected, value));
    return value;
}

std::string fields::required_text(std::string_view key, std::size_t longest) const
{
    std::string value = text(key, longest);
    if (value.empty())
        refuse(key, "given: it is missing or empty");
    return value;
}

std::string fields::required_text(std::string_view key, std::size_t longest, const text_rule& rule) const
{
    std::string value = text(key, longest, rule);
    if (value.empty())
        refuse(key, fmt::format("given: {}", rule.expected));
    return value;
}

std::int64_t
fields::integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t otherwise) const
{
    const json::value* value = find(key);
    if (!value)
        return otherwise;
    const bool small_enough = value->is_int64() && value->get_int64() >= least && value->get_int64() <= most;
    if (small_enough)
        return value->get_int64();
    refuse(key, fmt::format("a whole number from {} to {}", least, most));
    return otherwise;
}

bool fields::boolean(std::string_view key, bool otherwise) const
{
    const json::value* value = find(key);
    if (!value)
        return otherwise;
    if (value->is_bool())
        return value->get_bool();
    refuse(key, "true or false, without quotes");
    return otherwise;
}

std::vector<std::string> fields::texts(std::string_view key, std::size_t most, std::size_t longest) const
{
    std::vector<std::string> out;
    const json::value* value = find(key);
    if (!value)
        return out;
    const json::array* list = value->if_array();
    if (!list || list->size() > most)
    {
        refuse(key, fmt::format("a list of at most {} texts", most));
        return out;
    }
    for (const json::value& each : *list)
    {
        if (!each.is_string() || count_characters(each.get_string()) > longest)
            refuse(key, fmt::format("a list of texts of at most {} characters", longest));
        else
            out.emplace_back(each.get_string());
    }
    return out;
}

std::map<std::string, std::string>
fields::text_map(std::string_view key, std::size_t most, std::size_t longest) const
{
    std::map<std::string, std::string> out;
    const json::value* value = find(key);
    if (!value)
        return out;
    const json::object* members = value->if_object();
    if (!members || members->size() > most)
    {
        refuse(key, fmt::format("a mapping of at most {} keys", most));
        return out;
    }
    for (const auto& [name, each] : *members)
    {
        if (!each.is_string() || count_characters(each.get_string()) > longest)
            refuse(key, fmt::format("a mapping to texts of at most {} characters", longest));
        else
            out.emplace(name, each.get_string());
    }
    return out;
}

std::optional<fields> fields::object(std::string_view key) const
{
    const json::value* value = find(key);
    if (!value)
        return std::nullopt;
    if (const json::object* members = value->if_object())
        return fields(*members, at(key), *first_wrong_);
    refuse(key, "a mapping");
    return std::nullopt;
}

std::vector<fields> fields::objects(std::string_view key, std::size_t most) const
{
    std::vector<fields> out;
    const json::value* value = find(key);
    if (!value)
        return out;
    const json::array* list = value->if_array();
    if (!list || list->size() > most)
    {
        refuse(key, fmt::format("a list of at most {} entries", most));
        return out;
    }
    for (std::size_t i = 0; i < list->size(); ++i)
    {
        const std::string indexed = fmt::format("{}[{}]", key, i);
        if (const json::object* members = (*list)[i].if_object())
            out.emplace_back(*members, at(indexed), *first_wrong_);
        else
            refuse(indexed, "a mapping");
    }
    return out;
}

std::size_t fields::one_of(std::string_view key, std::initializer_list<std::string_view> names) const
{
    const std::string value = text(key, 64);
    if (value.empty() && !has(key))
        return 0;
    const auto place = std::find(names.begin(), names.end(), value);
    if (place != names.end())
        return static_cast<std::size_t>(place - names.begin());
    refuse(key, fmt::format("one of {}", fmt::join(names, ", ")));
    return 0;
}

std::vector<std::string> read_methods(const fields& in)
{
    constexpr std::array<std::string_view, 7> known{
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    std::vector<std::string> out = in.texts("methods", 9, 16);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    for (const std::string& each : out)
    {
        if (std::find(known.begin(), known.end(), each) == known.end())
            in.refuse("methods", fmt::format("of {}; it has \"{}\"", fmt::join(known, ", "), each));
    }
    return out;
}

}  // namespace portitor::api
