#pragma once

#include <portitor/core/error.hpp>

#include <string>

namespace portitor {

/// The whole file. errc::not_found when it cannot be read or has more than 4 MiB. Blocks, for as long as a
/// volume hangs: not on an I/O thread once the process runs.
result<std::string> read_small_file(const std::string& path);

/// Without the white space at both ends.
std::string trimmed(std::string text);

}  // namespace portitor
