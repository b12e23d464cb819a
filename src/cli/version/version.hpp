#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Says which version this is, and how it was built.
std::unique_ptr<action> make_version();

}  // namespace portitor::cli
