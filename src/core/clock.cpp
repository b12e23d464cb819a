#include <portitor/core/clock.hpp>
#include <portitor/core/saturating_time.hpp>

#include <fmt/format.h>

#include <ctime>

namespace portitor {

namespace {

// Seconds since 1970 for a date of the calendar, which reaches further than the clock.
using calendar_time = std::chrono::sys_seconds;

constexpr std::string_view shape = "0000-00-00T00:00:00";

bool has_shape(std::string_view text, std::string_view wanted)
{
    if (text.size() != wanted.size())
        return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
    {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        const char c = text[i] == 't' ? 'T' : text[i];
        if (wanted[i] == '0' ? !is_digit : c != wanted[i])
            return false;
    }
    return true;
}

int number(std::string_view digits)
{
    int out = 0;
    for (const char digit : digits)
        out = out * 10 + (digit - '0');
    return out;
}

std::optional<calendar_time> parse_date_and_time(std::string_view text)
{
    using namespace std::chrono;
    if (!has_shape(text, shape))
        return std::nullopt;
    const year_month_day date(
        year(number(text.substr(0, 4))),
        month(static_cast<unsigned>(number(text.substr(5, 2)))),
        day(static_cast<unsigned>(number(text.substr(8, 2))))
    );
    const int hour = number(text.substr(11, 2));
    const int minute = number(text.substr(14, 2));
    const int second = number(text.substr(17, 2));
    if (!date.ok() || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

// "Z", or an offset such as "+01:30".
std::optional<std::chrono::minutes> parse_zone(std::string_view text)
{
    if (text == "Z" || text == "z")
        return std::chrono::minutes(0);
    if (!has_shape(text.substr(text.empty() ? 0 : 1), "00:00") || (text[0] != '+' && text[0] != '-'))
        return std::nullopt;
    const int hours = number(text.substr(1, 2));
    const int minutes = number(text.substr(4, 2));
    if (hours > 23 || minutes > 59)
        return std::nullopt;
    const std::chrono::minutes offset(hours * 60 + minutes);
    return text[0] == '-' ? -offset : offset;
}

// What follows the fraction; the text itself where there is none.
std::optional<std::string_view> skip_fraction(std::string_view text)
{
    if (!text.starts_with('.'))
        return text;
    const auto end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || end == text.npos)
        return std::nullopt;
    return text.substr(end);
}

}  // namespace

std::uint64_t unix_seconds(clock::time_point time) noexcept
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds);
}

std::string to_rfc3339(clock::time_point time)
{
    // A time before 1970 is rounded down too: the second that it lies in.
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        utc.tm_year + 1900,
        utc.tm_mon + 1,
        utc.tm_mday,
        utc.tm_hour,
        utc.tm_min,
        utc.tm_sec
    );
}

std::optional<clock::time_point> parse_rfc3339(std::string_view text)
{
    const auto local = parse_date_and_time(text.substr(0, shape.size()));
    if (!local)
        return std::nullopt;
    const auto rest = skip_fraction(text.substr(shape.size()));
    const auto offset = rest ? parse_zone(*rest) : std::nullopt;
    if (!offset)
        return std::nullopt;
    return saturating_add(clock::time_point(), (*local - *offset).time_since_epoch());
}

clock::time_point from_rfc3339(std::string_view text)
{
    return parse_rfc3339(text).value_or(clock::time_point());
}

}  // namespace portitor
