#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace portitor::schema::cel {

/// A moment, from the year 0 to 9999.
struct moment
{
    std::int64_t seconds = 0;  ///< since 1970
    std::int32_t nanoseconds = 0;

    auto operator<=>(const moment&) const = default;
};

/// Reads RFC 3339 as Go's time.Parse does: "T" and "Z" are upper case, the fraction has any number of digits,
/// there is no leap second.
std::optional<moment> parse_moment(std::string_view text);

/// Nanoseconds of what Go's time.ParseDuration takes, such as "1h30m", "-1.5s" or "0"; nothing where it does
/// not or where they do not fit.
std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace portitor::schema::cel
