#include "offer/paid_path.hpp"

#include <algorithm>
#include <vector>

namespace portitor::offer {

namespace {

// A path that the pattern holds: "/users/*/export" holds "/users/portitor/export".
std::string sample_of(std::string pattern)
{
    for (auto at = pattern.find('*'); at != pattern.npos; at = pattern.find('*', at))
        pattern.replace(at, 1, "portitor");
    return pattern;
}

bool is_paid(const api::payment_route& route, std::string_view below)
{
    const api::payment_rule* rule = api::rule_for(route, api::segments_of(below));
    return !rule || rule->access == api::gate::paid;
}

}  // namespace

std::optional<std::string> paid_path(const api::payment_route& route)
{
    std::vector<std::string> paths;
    for (const api::payment_rule& each : route.rules)
    {
        if (each.access == api::gate::paid)
            paths.push_back(sample_of(each.pattern.text()));
    }
    // What no rule is about by its name, and the offer's own path.
    paths.emplace_back("/portitor-gate-proof");
    paths.emplace_back("/");
    const auto paid = std::find_if(paths.begin(), paths.end(), [&](const std::string& below) {
        return is_paid(route, below);
    });
    if (paid == paths.end())
        return std::nullopt;
    return route.pattern.substr(0, route.pattern.size() - 2) + *paid;
}

}  // namespace portitor::offer
