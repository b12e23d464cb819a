#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// What changes from one text to another, line by line, as `diff -u` writes it without its file names: hunks
/// with three lines around each change; empty where nothing does. Texts that differ in very many lines are
/// told as removed and added as a whole. At most 500 lines; the last one says how many are left out.
std::vector<std::string> line_diff(std::string_view before, std::string_view after);

}  // namespace portitor::cli
