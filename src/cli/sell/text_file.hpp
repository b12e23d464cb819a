#pragma once

#include <portitor/core/error.hpp>

#include <iosfwd>
#include <string>

namespace portitor::cli::sell {

/// What a file holds, or the standard input where it is "-"; at most 1 MiB.
result<std::string> read_text(const std::string& file, std::istream& standard_input);

}  // namespace portitor::cli::sell
