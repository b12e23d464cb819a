#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell status`.
std::unique_ptr<action> make_status();

}  // namespace portitor::cli::sell
