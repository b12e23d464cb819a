#pragma once

#include "cli/doctor/finding.hpp"
#include "cli/output/text.hpp"

#include <array>
#include <iosfwd>
#include <string>
#include <vector>

namespace portitor::cli::doctor {

/// All that was found, in the order of the areas.
struct report
{
    std::string settings;  ///< where the settings came from, in words
    std::vector<finding> findings;

    /// By verdict.
    std::array<std::size_t, verdict_count> counts() const;
    bool has(verdict how) const { return counts()[static_cast<std::size_t>(how)] > 0; }
    /// Whether anything at all could be looked at.
    bool has_seen_any() const;
};

/// One line for each check, what to do below it, and a sum.
void print_text(const report& what, std::ostream& out, const palette& colours);
void print_json(const report& what, std::ostream& out);
void print_yaml(const report& what, std::ostream& out);

}  // namespace portitor::cli::doctor
