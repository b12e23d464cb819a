#pragma once

#include "cli/command.hpp"
#include "cli/sales/options.hpp"

namespace portitor::cli::sales {

/// Tells what the payments come to, as `how` says.
result<void>
print_sums(ledger::book& from, const ledger::sale_filter& which, const options& how, const console& terminal);

}  // namespace portitor::cli::sales
