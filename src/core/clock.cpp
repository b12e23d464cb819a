#include <portitor/core/clock.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace portitor {

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
    int read = 0;
    const std::string copy(text);
    if (std::sscanf(
            copy.c_str(),
            "%4d-%2d-%2dT%2d:%2d:%2d%n",
            &utc.tm_year,
            &utc.tm_mon,
            &utc.tm_mday,
            &utc.tm_hour,
            &utc.tm_min,
            &utc.tm_sec,
            &read
        ) != 6 ||
        copy.empty() || copy.back() != 'Z')
        return {};
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return std::chrono::system_clock::from_time_t(timegm(&utc));
}

}  // namespace portitor
