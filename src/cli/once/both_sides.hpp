#pragma once

#include "cli/cluster/market_view.hpp"
#include "cli/once/comparison.hpp"

#include <iosfwd>

namespace portitor::cli::once {

/// What Portitor would charge for the offers of a view.
struct own_charges
{
    std::vector<charge> charges;
    std::vector<unsold> blocked;
};

/// Where the settings are not known, those are taken that each offer's live objects show.
own_charges charges_of(
    const market_view& view, const offer::plan_settings& settings, bool settings_known, clock::time_point now
);

/// The predecessor's pricing.yaml: of the ConfigMap NAMESPACE/NAME, or of a file ("-": standard input) that
/// holds it or the ConfigMap. What has a "." in it or begins with "/" is a file.
boost::asio::awaitable<result<std::string>>
read_pricing(kube::api* server, std::string source, std::istream* standard_input);

}  // namespace portitor::cli::once
