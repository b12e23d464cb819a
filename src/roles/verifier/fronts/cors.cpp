#include "roles/verifier/fronts/cors.hpp"

#include <algorithm>

namespace portitor::verifier {

cors_policy::cors_policy(std::string_view origins)
{
    while (!origins.empty())
    {
        const auto end = std::min(origins.find(' '), origins.size());
        const std::string_view one = origins.substr(0, end);
        any_ = any_ || one == "*";
        if (!one.empty() && one != "*")
            origins_.emplace_back(one);
        origins.remove_prefix(std::min(end + 1, origins.size()));
    }
}

std::string_view cors_policy::allowed(std::string_view origin) const
{
    if (origin.empty())
        return {};
    if (any_)
        return "*";
    const auto found = std::find(origins_.begin(), origins_.end(), origin);
    return found == origins_.end() ? std::string_view() : std::string_view(*found);
}

}  // namespace portitor::verifier
