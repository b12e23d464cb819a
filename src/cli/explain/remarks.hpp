#pragma once

#include "cli/explain/verifier_view.hpp"

namespace portitor::cli::explain {

/// What remarks are made of.
struct remark_sources
{
    const seen& around;
    const operator_settings& settings;
    const verifier_view& verifier;
};

/// Adds what else matters to whoever reads the explanation.
void add_remarks(explanation& into, const remark_sources& from);

}  // namespace portitor::cli::explain
