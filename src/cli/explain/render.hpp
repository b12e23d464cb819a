#pragma once

#include "cli/explain/explanation.hpp"
#include "cli/output/text.hpp"

#include <boost/json/object.hpp>

#include <iosfwd>

namespace portitor::cli::explain {

/// For programs: see docs/explain.md.
boost::json::object to_json(const explanation& what);

/// For people.
void print(std::ostream& out, const explanation& what, const palette& colours, bool with_402);

}  // namespace portitor::cli::explain
