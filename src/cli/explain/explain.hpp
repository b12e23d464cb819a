#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Says what would become of a request: which route, offer, rule and price apply, and why. Only reads.
std::unique_ptr<action> make_explain();

}  // namespace portitor::cli
