#pragma once

#include "cli/once/comparison.hpp"
#include "cli/once/report.hpp"

namespace portitor::cli::once {

/// Masks the URLs in all texts of a report, whoever wrote them: offers, the operator, the API server.
/// Children have theirs masked already.
void mask_secrets(report& of);

/// The same for what both sides charge.
void mask_secrets(std::vector<compared_route>& of);

}  // namespace portitor::cli::once
