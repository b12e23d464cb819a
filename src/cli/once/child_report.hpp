#pragma once

#include "cli/once/report.hpp"
#include "offer/observation.hpp"

namespace portitor::cli::once {

/// What a plan makes of an offer's children, as far as it can be told without asking anybody: a change is
/// what server-side apply is known to do. In the order of child_kind; what is not ours is left out.
std::vector<child_report> children_of(const offer::plan& todo, const offer::observation& seen);

/// The same child, with what the API server answered to a dry run of that step.
void take_answer(child_report& into, const boost::json::object& answer, const offer::change& step);

/// The spec of an object, and the metadata that somebody writes; keys in order, URLs without secrets.
boost::json::object shown_fields(const boost::json::object& raw);

/// What changes from one object to another, as a diff of YAML; the digest of a child only where nothing else
/// does.
std::vector<std::string> diff_of(boost::json::object live, boost::json::object wanted);

}  // namespace portitor::cli::once
