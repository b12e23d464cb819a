#pragma once

#include "cli/once/predecessor.hpp"
#include "cli/output/text.hpp"

#include <boost/json/object.hpp>

#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::cli::once {

/// What is charged on one path by the predecessor and by Portitor.
struct compared_route
{
    std::string pattern;
    std::optional<charge> there;  ///< the predecessor's
    std::optional<charge> here;   ///< Portitor's
    std::vector<std::string> differences{};
    std::vector<std::string> remarks{};   ///< why, where it is known
    std::set<std::string> unsold_here{};  ///< Portitor's offers, "namespace/name", that want the path

    bool same() const { return there && here && differences.empty(); }
};

/// An offer of Portitor's that is not sold.
struct unsold
{
    std::string pattern;
    std::string offer;  ///< "namespace/name"
    std::string why;
};

/// Both sides, route by route, in the order of their patterns; facilitators as they are written.
std::vector<compared_route> compare_charges(
    const std::vector<charge>& there,
    const std::vector<charge>& here,
    const std::vector<unsold>& blocked,
    const x402::network_table& known
);

/// Leaves the routes of these offers ("namespace/name"), on either side.
void keep_routes_of(std::vector<compared_route>& all, const std::set<std::string>& offers);

void show_comparison(
    std::ostream& out,
    const std::vector<compared_route>& all,
    const x402::network_table& known,
    const palette& colours
);

boost::json::object
comparison_document(const std::vector<compared_route>& all, const x402::network_table& known);

}  // namespace portitor::cli::once
