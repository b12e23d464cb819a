#pragma once

#include "cli/command.hpp"
#include "cli/sales/options.hpp"

namespace portitor::cli::sales {

/// Tells each payment, as `how` says. Where there are more than its limit, that is told.
result<void>
print_list(ledger::book& from, const ledger::sale_filter& which, const options& how, const console& terminal);

}  // namespace portitor::cli::sales
