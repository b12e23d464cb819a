#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell resume`: takes the end of an offer away again, and waits until it is sold.
std::unique_ptr<action> make_resume();

}  // namespace portitor::cli::sell
