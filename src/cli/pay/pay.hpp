#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Asks a URL, and pays for it by x402.
std::unique_ptr<action> make_pay();

}  // namespace portitor::cli
