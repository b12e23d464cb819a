#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace portitor::roles {

// Tables of what the command line knows by name: each entry has a name and a summary.

/// The entry of that name, or nullptr.
template <typename Entry>
const Entry* find_named(std::span<const Entry> all, std::string_view name)
{
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const Entry& each) { return each.name == name; });
    return at == all.end() ? nullptr : &*at;
}

/// A line for each, as the help shows them.
template <typename Entry>
std::string list_named(std::span<const Entry> all)
{
    std::size_t longest = 0;
    for (const Entry& each : all)
        longest = std::max(longest, each.name.size());
    std::string out;
    for (const Entry& each : all)
        out += fmt::format("  {:<{}}  {}\n", each.name, longest, each.summary);
    return out;
}

}  // namespace portitor::roles
