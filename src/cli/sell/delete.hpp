#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell delete`.
std::unique_ptr<action> make_delete();

}  // namespace portitor::cli::sell
