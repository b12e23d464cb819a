#pragma once

#include <portitor/kube/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace portitor::cli::sell {

/// What a seller can do about a reason, and the command that does it, or shows more. Words may be wrapped;
/// the command is to be copied, and stands on a line of its own.
struct hint
{
    std::string words;
    std::string command;  ///< empty: none
};

/// A sentence, and how it ends: by a colon where the command follows it.
std::string sentence(const hint& of);

/// What can be done about a condition of an offer with this reason; nothing for a reason that Portitor does
/// not give, such as a Gateway's own.
std::optional<hint> hint_for(std::string_view reason, const kube::object& offer);

/// The same of a whole condition: of what a Gateway says of the route in a reason of its own, too.
std::optional<hint> hint_for(const kube::condition& of, const kube::object& offer);

/// Whether a condition tells of something that somebody may want to see to: it is not True, or is so with a
/// limitation.
bool is_worth_a_hint(const kube::condition& of);

/// Why an offer may have no word of the controller on its present spec, and what to do.
std::string why_not_judged(const kube::object& offer);

/// A command with {name}, {ns} and {upstream} (the Service's namespace) of an offer filled in. What is no
/// plain name is left open: others wrote it.
std::string command_for(std::string_view pattern, const kube::object& offer);

}  // namespace portitor::cli::sell
