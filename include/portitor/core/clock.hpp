#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace portitor {

/// Wall-clock time, injected so that tests decide what time it is.
class clock
{
public:
    using time_point = std::chrono::system_clock::time_point;

    virtual ~clock() = default;
    virtual time_point now() const = 0;
};

/// The machine's clock.
class system_clock final : public clock
{
public:
    time_point now() const override { return std::chrono::system_clock::now(); }
};

/// Seconds since 1970; 0 for a time before that.
std::uint64_t unix_seconds(clock::time_point time) noexcept;

/// RFC 3339 in UTC with seconds, as Kubernetes writes it: "2026-11-24T20:17:00Z".
std::string to_rfc3339(clock::time_point time);

/// Reads RFC 3339 with any offset, in whole seconds: a fraction is cut off. Letters may be of either case. A
/// year that the clock does not reach (it counts from 1677 to 2262) is its first or last moment. Nothing
/// where the text is no such time.
std::optional<clock::time_point> parse_rfc3339(std::string_view text);

/// The same for times that the API server wrote: time_point{} where there is none.
clock::time_point from_rfc3339(std::string_view text);

}  // namespace portitor
