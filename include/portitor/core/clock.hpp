#pragma once

#include <chrono>
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

/// RFC 3339 in UTC with seconds, as Kubernetes writes it: "2026-11-24T20:17:00Z".
std::string to_rfc3339(clock::time_point time);

/// Reads RFC 3339 in UTC, with or without a fraction; time_point{} where it is none.
clock::time_point from_rfc3339(std::string_view text);

}  // namespace portitor
