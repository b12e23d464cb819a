#include "schema/cel/go_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

namespace portitor::schema::cel {

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/// Takes texts apart from the front; once something is not as expected, `good` is false for ever.
struct scanner
{
    std::string_view rest;
    bool good = true;

    int number(std::size_t digits)
    {
        if (rest.size() < digits || !std::all_of(rest.begin(), rest.begin() + digits, is_digit))
        {
            good = false;
            return 0;
        }
        int out = 0;
        for (std::size_t i = 0; i < digits; ++i)
            out = out * 10 + (rest[i] - '0');
        rest.remove_prefix(digits);
        return out;
    }

    bool take(char expected)
    {
        if (rest.empty() || rest.front() != expected)
            return false;
        rest.remove_prefix(1);
        return true;
    }

    void want(char expected) { good = take(expected) && good; }
};

// Digits behind the ninth say nothing.
std::int32_t read_fraction(scanner& in)
{
    if (!in.take('.') && !in.take(','))
        return 0;
    std::int32_t out = 0;
    std::size_t count = 0;
    for (; !in.rest.empty() && is_digit(in.rest.front()); ++count, in.rest.remove_prefix(1))
        if (count < 9)
            out = out * 10 + (in.rest.front() - '0');
    in.good = in.good && count > 0;
    for (; count < 9; ++count)
        out *= 10;
    return out;
}

// Seconds east of Greenwich.
int read_zone(scanner& in)
{
    if (in.take('Z'))
        return 0;
    const int sign = in.take('-') ? -1 : 1;
    if (sign > 0)
        in.want('+');
    const int hours = in.number(2);
    in.want(':');
    const int minutes = in.number(2);
    in.good = in.good && hours <= 24 && minutes <= 60;
    return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

std::optional<moment> parse_moment(std::string_view text)
{
    using namespace std::chrono;
    scanner in{text};
    const int y = in.number(4);
    in.want('-');
    const int m = in.number(2);
    in.want('-');
    const int d = in.number(2);
    in.want('T');
    const int hour = in.number(2);
    in.want(':');
    const int minute = in.number(2);
    in.want(':');
    const int second = in.number(2);
    if (!in.good || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    const std::int32_t nanoseconds = read_fraction(in);
    const int zone = read_zone(in);
    const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!in.good || !in.rest.empty() || !date.ok())
        return std::nullopt;
    const std::int64_t days = sys_days(date).time_since_epoch().count();
    return moment{days * 86400 + hour * 3600 + minute * 60 + second - zone, nanoseconds};
}

namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> units{{
    {"ns", 1},
    {"us", 1'000},
    {"\u00b5s", 1'000},
    {"\u03bcs", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

std::optional<std::int64_t> unit_of(std::string_view name)
{
    const auto* found =
        std::find_if(units.begin(), units.end(), [&](const auto& each) { return each.first == name; });
    return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::string_view take_digits(std::string_view& rest)
{
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
    const std::string_view out = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(out.size());
    return out;
}

// One "1.5h" at the front of the text.
std::optional<std::int64_t> take_part(std::string_view& rest)
{
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    if (rest.starts_with('.'))
    {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
    }
    const auto name_end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return c == '.' || is_digit(c); });
    const auto unit = unit_of(rest.substr(0, static_cast<std::size_t>(name_end - rest.begin())));
    if ((whole.empty() && fraction.empty()) || !unit)
        return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(name_end - rest.begin()));
    std::int64_t out = 0;
    for (const char c : whole)
        if (__builtin_mul_overflow(out, 10, &out) || __builtin_add_overflow(out, c - '0', &out))
            return std::nullopt;
    if (__builtin_mul_overflow(out, *unit, &out))
        return std::nullopt;
    std::int64_t place = *unit;
    std::int64_t parts = 0;
    for (const char c : fraction)
        parts += (place /= 10) * (c - '0');
    return __builtin_add_overflow(out, parts, &out) ? std::nullopt : std::optional(out);
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text)
{
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    if (text == "0")
        return 0;
    if (text.empty())
        return std::nullopt;
    std::int64_t sum = 0;
    while (!text.empty())
    {
        const auto part = take_part(text);
        if (!part || __builtin_add_overflow(sum, *part, &sum))
            return std::nullopt;
    }
    return negative ? -sum : sum;
}

}  // namespace portitor::schema::cel
