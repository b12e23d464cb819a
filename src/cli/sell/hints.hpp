#pragma once

#include <portitor/kube/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace portitor::cli::sell {

/// What a seller can do about a reason, and a command that shows more.
struct hint
{
    std::string words;
    std::string command;  ///< empty: none
};

/// What can be done about a condition of an offer with this reason; nothing for a reason that Portitor does
/// not give, such as a Gateway's own.
std::optional<hint> hint_for(std::string_view reason, const kube::object& offer);

}  // namespace portitor::cli::sell
