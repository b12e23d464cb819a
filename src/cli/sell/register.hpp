#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell register`.
std::unique_ptr<action> make_register();

}  // namespace portitor::cli::sell
