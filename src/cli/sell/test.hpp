#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell test`.
std::unique_ptr<action> make_test();

}  // namespace portitor::cli::sell
