#pragma once

#include "cli/command.hpp"

#include <string_view>
#include <vector>

namespace portitor::cli::sell {

// What the predecessor's `sell` takes and this one does not: refused with what replaces it, never ignored.

/// Its subcommands.
std::vector<replaced_word> replaced_subcommands();

/// Declares its flags of a subcommand: whoever types one is told why it is refused. They count on the command
/// line only, and no help lists them.
void declare_replaced(config::loader& into, std::string_view subcommand);

/// Why a key of --route is refused; nullptr where it is none of the predecessor's.
const char* why_no_route_key(std::string_view key);

}  // namespace portitor::cli::sell
