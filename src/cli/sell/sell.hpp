#pragma once

#include "cli/command.hpp"

namespace portitor::cli {

/// `portitor sell`: what sellers do with their offers.
command sell_command();

}  // namespace portitor::cli
