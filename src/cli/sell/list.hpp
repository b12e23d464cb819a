#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell list`.
std::unique_ptr<action> make_list();

}  // namespace portitor::cli::sell
