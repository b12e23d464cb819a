#pragma once

#include "cli/once/predecessor.hpp"
#include "cli/output/text.hpp"

#include <boost/json/object.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace portitor::cli::once {

/// What is charged on one path by the predecessor and by Portitor.
struct compared_route
{
    std::string pattern;
    std::optional<charge> there;  ///< the predecessor's
    std::optional<charge> here;   ///< Portitor's
    std::vector<std::string> differences;
    std::vector<std::string> remarks;  ///< why, where it is known

    bool same() const { return there && here && differences.empty(); }
};

/// Both sides, route by route, in the order of their patterns. `blocked` are Portitor's offers that are not
/// sold, with the reason, by pattern.
std::vector<compared_route> compare_charges(
    const std::vector<charge>& there,
    const std::vector<charge>& here,
    const std::vector<std::pair<std::string, std::string>>& blocked,
    const x402::network_table& known
);

void show_comparison(
    std::ostream& out,
    const std::vector<compared_route>& all,
    const x402::network_table& known,
    const palette& colours
);

boost::json::object
comparison_document(const std::vector<compared_route>& all, const x402::network_table& known);

}  // namespace portitor::cli::once
