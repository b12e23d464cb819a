#pragma once

#include "cli/once/report.hpp"
#include "cli/output/text.hpp"

#include <iosfwd>

namespace portitor::cli::once {

/// Somebody's text as it may stand in the report: printable, its lines broken and indented.
std::string told(std::string_view text, std::size_t indent);

/// The lines of a diff, below what they are about.
void show_diff(std::ostream& out, const std::vector<std::string>& lines, const palette& colours);

/// What happens to a child; with `all` also that nothing does, and a new one in full.
void show_child(std::ostream& out, const child_report& of, const palette& colours, bool all);

}  // namespace portitor::cli::once
