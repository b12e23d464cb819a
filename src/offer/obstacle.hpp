#pragma once

#include <portitor/api/conditions.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace portitor::offer {

/// Why an offer cannot be sold: the condition that says so, with its reason and its words.
struct obstacle
{
    std::string_view condition;
    std::string_view reason;
    std::string message;
};

/// An obstacle with its words formatted.
template <typename... Args>
obstacle make_obstacle(
    std::string_view condition, const api::reason& why, fmt::format_string<Args...> text, Args&&... args
)
{
    return {condition, why.name, fmt::format(text, std::forward<Args>(args)...)};
}

}  // namespace portitor::offer
