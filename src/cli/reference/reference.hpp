#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

// Texts that are made of what the commands declare.

/// `completion SHELL`: prints a script.
std::unique_ptr<action> make_completion();

/// `man`: prints the manual page.
std::unique_ptr<action> make_man();

}  // namespace portitor::cli
