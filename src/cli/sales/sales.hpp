#pragma once

#include "cli/command.hpp"

namespace portitor::cli {

/// `portitor sales`: reads the book of sales, beside the verifier that writes it, and asks nobody.
command sales_command();

}  // namespace portitor::cli
