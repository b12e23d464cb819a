#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Looks at an installation from all sides, changes nothing, and says what is wrong and what to do. Exit code
/// 1 where something is a failure (with --strict: or a warning) or nothing at all could be looked at, 2 for a
/// command line that is refused.
std::unique_ptr<action> make_doctor();

}  // namespace portitor::cli
