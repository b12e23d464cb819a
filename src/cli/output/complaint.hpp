#pragma once

#include <portitor/core/error.hpp>

#include <iosfwd>

namespace portitor::cli {

/// Tells why something failed, on standard error, line by line and fit for a terminal, whoever is quoted in
/// it.
void complain(std::ostream& err, const error& failure);

/// The same for what only running a command shows to be a mistake in how it was called, such as a file that
/// cannot be read. The value is the exit code of usage errors, 2: `co_return refuse_usage(terminal.err, e);`
int refuse_usage(std::ostream& err, const error& failure);

}  // namespace portitor::cli
