#pragma once

#include "cli/command.hpp"

#include <portitor/config/loader.hpp>

#include <string_view>

namespace portitor::cli::sell {

/// -y, --yes: a consent, which is for this time.
config::option yes_option(bool& into);

/// Whether somebody can say yes: `yes` does, and a terminal can. errc::refused, an error of usage, says
/// --yes.
result<void> check_consent(const console& terminal, bool yes);

/// Asks before something is ended; with `yes` it asks nothing. False where the answer was no.
/// @pre check_consent()
bool confirm(const console& terminal, std::string_view question, bool yes);

}  // namespace portitor::cli::sell
