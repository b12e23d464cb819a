#include "schema/cel/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

namespace portitor::schema::cel {

namespace {

// From the weakest to the strongest; relations are one level.
const std::array<std::vector<binary_operator>, operator_levels> levels{{
    {{"||", operation::logical_or}},
    {{"&&", operation::logical_and}},
    {{"==", operation::equal},
     {"!=", operation::not_equal},
     {"<", operation::less},
     {"<=", operation::less_equal},
     {">", operation::greater},
     {">=", operation::greater_equal},
     {"in", operation::in}},
    {{"+", operation::add}, {"-", operation::subtract}},
    {{"*", operation::multiply}, {"/", operation::divide}, {"%", operation::remainder}},
}};

const std::map<std::string_view, known_function> functions{
    {"size", {operation::size, 1}},
    {"timestamp", {operation::timestamp, 1}},
    {"duration", {operation::duration, 1}},
};

const std::map<std::string_view, known_function> methods{
    {"size", {operation::size, 1}},
    {"contains", {operation::contains, 2}},
    {"startsWith", {operation::starts_with, 2}},
    {"endsWith", {operation::ends_with, 2}},
    {"matches", {operation::matches, 2}},
};

const std::map<std::string_view, operation> macros{
    {"all", operation::all},
    {"exists", operation::exists},
    {"exists_one", operation::exists_one},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> escapes{{
    {"__underscores__", "__"},
    {"__dot__", "."},
    {"__dash__", "-"},
    {"__slash__", "/"},
}};

constexpr std::array<std::string_view, 21> reserved{
    "true",     "false",   "null",      "in",       "as",  "break",  "const",
    "continue", "else",    "for",       "function", "if",  "import", "let",
    "loop",     "package", "namespace", "return",   "var", "void",   "while"};

}  // namespace

const std::vector<binary_operator>& operators_of(std::size_t level)
{
    return levels[level];
}

namespace {

template <typename T>
std::optional<T> find(const std::map<std::string_view, T>& in, std::string_view name)
{
    const auto found = in.find(name);
    return found == in.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<known_function> find_function(std::string_view name)
{
    return find(functions, name);
}

std::optional<known_function> find_method(std::string_view name)
{
    return find(methods, name);
}

std::optional<operation> find_macro(std::string_view name)
{
    return find(macros, name);
}

std::optional<literal_value> literal_of(const token& given)
{
    const char* const end = given.text.data() + given.text.size();
    std::int64_t whole = 0;
    double number = 0;
    switch (given.type)
    {
    case token_type::text:
        return given.text;
    case token_type::integer:
        if (std::from_chars(given.text.data(), end, whole).ec == std::errc())
            return whole;
        return std::nullopt;
    case token_type::number:
        if (std::from_chars(given.text.data(), end, number).ec == std::errc())
            return number;
        return std::nullopt;
    default:
        return std::nullopt;
    }
}

std::string unescaped(std::string_view name)
{
    for (const std::string_view word : reserved)
        if (name.size() == word.size() + 4 && name.starts_with("__") && name.ends_with("__") &&
            name.substr(2, word.size()) == word)
            return std::string(word);
    std::string out;
    while (!name.empty())
    {
        const auto* found = std::find_if(escapes.begin(), escapes.end(), [name](const auto& each) {
            return name.starts_with(each.first);
        });
        if (found == escapes.end())
            out += name.front();
        else
            out += found->second;
        name.remove_prefix(found == escapes.end() ? 1 : found->first.size());
    }
    return out;
}

}  // namespace portitor::schema::cel
