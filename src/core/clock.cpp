#include <portitor/core/clock.hpp>

#include <fmt/format.h>

#include <cstdio>
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
    std::tm utc{};
    const std::string copy(text);
    if (std::sscanf(
            copy.c_str(),
            "%4d-%2d-%2dT%2d:%2d:%2d",
            &utc.tm_year,
            &utc.tm_mon,
            &utc.tm_mday,
            &utc.tm_hour,
            &utc.tm_min,
            &utc.tm_sec
        ) != 6)
        return {};
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    const auto time = std::chrono::system_clock::from_time_t(timegm(&utc));
    // timegm() takes the 32nd of a month for the first of the next, and sscanf() a sign or a space for a
    // digit: only what is written back alike was a time.
    constexpr std::size_t up_to_seconds = 19;
    if (copy.substr(0, up_to_seconds) + "Z" != to_rfc3339(time) || !is_zone(copy.substr(up_to_seconds)))
        return {};
    return time;
}

}  // namespace portitor
