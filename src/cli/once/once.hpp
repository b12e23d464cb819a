#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Shows what the controller would make of the offers in a file. Writes nothing.
std::unique_ptr<action> make_once();

}  // namespace portitor::cli
