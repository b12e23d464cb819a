#pragma once

#include "cli/once/report.hpp"
#include "cli/output/text.hpp"

#include <boost/json/object.hpp>

#include <iosfwd>

namespace portitor::cli::once {

/// Writes a report for people: each offer with its price, its children, its conditions and what comes next;
/// the plan in one line at the end. With `all` also what stays as it is, and new objects in full.
void show_text(std::ostream& out, const report& all_of_it, const palette& colours, bool all);

/// What was looked at, and what was not seen: the first lines of show_text().
void show_head(std::ostream& out, const report& of, const palette& colours);

/// The same for programs; the fields are in docs/once.md.
boost::json::object document_of(const report& all_of_it);

}  // namespace portitor::cli::once
