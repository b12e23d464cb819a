#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace portitor::cli::sales {

/// A time as people give it: "2026-11-28T12:00:00Z", "2026-11-28" (a day of UTC), "24h" (so long ago; s, m, h
/// or d).
class moment
{
public:
    /// Which end of a day is meant.
    enum class edge
    {
        begin,
        end,
    };

    /// errc::invalid for anything else.
    static result<moment> parse(const std::string& text, edge of_day);

    /// Unix seconds; what lies before 1970 is 0.
    std::uint64_t at(clock::time_point now) const;

private:
    std::optional<clock::time_point> time_;
    std::chrono::seconds ago_{0};
};

}  // namespace portitor::cli::sales
