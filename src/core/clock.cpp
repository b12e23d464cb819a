#include <portitor/core/clock.hpp>

#include <fmt/format.h>

#include <ctime>

namespace portitor {

namespace {

// What may follow the seconds: "Z", or a fraction and "Z".
bool is_zone(std::string_view rest)
{
    if (rest.starts_with('.'))
    {
        const auto end = rest.find_first_not_of("0123456789", 1);
        if (end == 1 || end == rest.npos)
            return false;
        rest.remove_prefix(end);
    }
    return rest == "Z";
}

}  // namespace

std::string to_rfc3339(clock::time_point time)
{
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
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

clock::time_point from_rfc3339(std::string_view text)
{
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    if (text.size() <= shape.size() || !is_zone(text.substr(shape.size())))
        return {};
    for (std::size_t i = 0; i < shape.size(); ++i)
    {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text[i] != shape[i])
            return {};
    }
    const auto number = [&](std::size_t at, std::size_t digits) {
        int out = 0;
        for (const char digit : text.substr(at, digits))
            out = out * 10 + (digit - '0');
        return out;
    };
    using namespace std::chrono;
    const year_month_day day(
        year(number(0, 4)),
        month(static_cast<unsigned>(number(5, 2))),
        std::chrono::day(static_cast<unsigned>(number(8, 2)))
    );
    const int hour = number(11, 2);
    const int minute = number(14, 2);
    const int second = number(17, 2);
    // The clock counts nanoseconds in 64 bits: Go's zero time (year 1) is none, and neither is "never"
    // (9999).
    const bool countable = day.year() >= year(1678) && day.year() <= year(2261);
    if (!day.ok() || !countable || hour > 23 || minute > 59 || second > 59)
        return {};
    return sys_days(day) + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace portitor
