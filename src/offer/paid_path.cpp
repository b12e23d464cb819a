#include "offer/paid_path.hpp"

#include <algorithm>
#include <vector>

namespace portitor::offer {

namespace {

bool is_open_ended(const std::string& path)
{
    return path.find('*') != path.npos;
}

// No rule names a segment "*", so it is judged as any word is that no rule names.
bool is_paid(const api::payment_route& route, std::string_view below)
{
    const api::payment_rule* rule = api::rule_for(route, api::segments_of(below));
    return !rule || rule->access == api::gate::paid;
}

}  // namespace

std::optional<std::string> paid_path(const api::payment_route& route)
{
    // What no rule is about by its name, what paid rules are about, and the offer's own path.
    std::vector<std::string> paths{"/*"};
    for (const api::payment_rule& each : route.rules)
    {
        if (each.access == api::gate::paid)
            paths.push_back(each.pattern.text());
    }
    paths.emplace_back("/");
    std::stable_partition(paths.begin(), paths.end(), is_open_ended);
    const auto paid = std::find_if(paths.begin(), paths.end(), [&](const std::string& below) {
        return is_paid(route, below);
    });
    if (paid == paths.end())
        return std::nullopt;
    const std::string path = route.pattern.substr(0, route.pattern.size() - 2) + *paid;
    return is_open_ended(path) ? path : path + "?proof=*";
}

}  // namespace portitor::offer
