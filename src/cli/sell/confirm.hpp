#pragma once

#include "cli/command.hpp"

#include <string_view>

namespace portitor::cli::sell {

/// Asks before something is ended. With `yes` it asks nothing; without a terminal nobody can answer, so that
/// is errc::refused, and says --yes. False where the answer was no.
result<bool> confirm(const console& terminal, std::string_view question, bool yes);

}  // namespace portitor::cli::sell
