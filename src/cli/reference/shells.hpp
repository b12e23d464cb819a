#pragma once

#include "cli/reference/declared.hpp"

namespace portitor::cli {

// Completion for the three shells: scripts that ask nobody.

std::string bash_completion(std::span<const declared> all);
std::string zsh_completion(std::span<const declared> all);
std::string fish_completion(std::span<const declared> all);

}  // namespace portitor::cli
