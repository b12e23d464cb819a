#include "cli/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

namespace portitor::cli {

namespace json = boost::json;

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Go has no integers beyond 64 bits, and the API server's readers none beyond int64.
json::value number(double value)
{
    constexpr double limit = 9223372036854775808.0;
    if (value >= -limit && value < limit && std::trunc(value) == value)
        return static_cast<std::int64_t>(value);
    return value;
}

json::value integer(bool negative, std::uint64_t magnitude)
{
    constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    if (negative && magnitude <= limit)
        return static_cast<std::int64_t>(~magnitude + 1);
    if (!negative && magnitude < limit)
        return static_cast<std::int64_t>(magnitude);
    return negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
}

// "-0x1F", "017", "0o17", "0b11", "12", as Go's ParseInt reads them with base 0.
std::optional<json::value> read_integer(std::string_view text)
{
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    int base = 10;
    if (text.size() > 1 && text[0] == '0')
    {
        const char mark = static_cast<char>(text[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text.remove_prefix(mark == 'x' || mark == 'o' || mark == 'b' ? 2 : 1);
    }
    std::uint64_t magnitude = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [last, wrong] = std::from_chars(begin, end, magnitude, base);
    if (text.empty() || wrong != std::errc() || last != end)
        return std::nullopt;
    return integer(negative, magnitude);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
std::optional<json::value> read_real(std::string_view text)
{
    const std::string_view digits = text.starts_with('+') || text.starts_with('-') ? text.substr(1) : text;
    const bool begins = !digits.empty() && (is_digit(digits[0]) ||
                                            (digits[0] == '.' && digits.size() > 1 && is_digit(digits[1])));
    if (!begins || text.find_first_not_of("0123456789.eE+-") != text.npos)
        return std::nullopt;
    if (text.starts_with('+'))
        text.remove_prefix(1);
    double value = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [last, wrong] = std::from_chars(begin, end, value);
    // Too small is nothing; too large is text.
    if (last == end && wrong == std::errc::result_out_of_range && text.find("e-") != text.npos)
        return json::value(0);
    if (wrong != std::errc() || last != end)
        return std::nullopt;
    return number(value);
}

const std::map<std::string_view, json::value>& words()
{
    static const std::map<std::string_view, json::value> all = [] {
        std::map<std::string_view, json::value> out;
        for (const char* each : {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
            out.emplace(each, true);
        for (const char* each : {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
            out.emplace(each, false);
        for (const char* each : {"", "~", "null", "Null", "NULL"})
            out.emplace(each, nullptr);
        return out;
    }();
    return all;
}

}  // namespace

std::optional<json::value> plain_value(const std::string& text)
{
    static const std::set<std::string_view> no_numbers{
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
    if (no_numbers.contains(text))
        return std::nullopt;
    if (const auto at = words().find(text); at != words().end())
        return at->second;
    const char first = text.front();
    if (!is_digit(first) && first != '+' && first != '-' && first != '.')
        return json::value(text);
    std::string plain = text;
    std::erase(plain, '_');
    auto read = first == '.' ? std::nullopt : read_integer(plain);
    if (!read)
        read = read_real(plain);
    return read ? *read : json::value(text);
}

}  // namespace portitor::cli
