#include "offer/hosts.hpp"

#include <algorithm>

namespace portitor::offer {

std::string own_host(std::string_view hostname, const plan_settings& settings)
{
    if (hostname.empty())
        return {};
    std::string host = config::host_name(hostname);
    return settings.gateway.public_hosts().has(host) ? std::string() : host;
}

place place_among(place asked, const plan_settings& settings)
{
    if (!asked.host.empty())
        asked.host = own_host(asked.host, settings);
    return asked;
}

host_right right_to_host(
    std::string_view host, const std::string& ns, const kube::object* home, const plan_settings& settings
)
{
    host_right out = host_right::refused;
    for (const config::host_entry& each : settings.gateway.hosts.entries)
    {
        if (!each.covers(host))
            continue;
        if (each.names(ns) || (each.selector && home && (*each.selector)(home->raw)))
            return host_right::allowed;
        if (each.selector && !home)
            out = host_right::unknown;
    }
    return out;
}

std::vector<std::string> hostnames_of(const api::service_offer& offer, const plan_settings& settings)
{
    if (std::string own = own_host(offer, settings); !own.empty())
        return {std::move(own)};
    config::public_hosts all = settings.gateway.public_hosts();
    return all.every_host ? std::vector<std::string>() : std::move(all.names);
}

}  // namespace portitor::offer
