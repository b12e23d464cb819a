#include "roles/plan_settings.hpp"

namespace portitor::roles {

offer::plan_settings
make_plan_settings(const config::gateway_options& gateway, const config::operator_lists& lists)
{
    offer::plan_settings out;
    out.gateway = gateway.gateway;
    out.gateway_section = gateway.section;
    out.gateway_controller = gateway.controller;
    out.verifier_url = gateway.verifier_url;
    out.gateway_url = gateway.gateway_url;
    out.public_url = gateway.public_url;
    out.verifier_endpoints_required = !gateway.verifier_service.name.empty();
    for (const config::facilitator& each : lists.facilitators.entries)
        out.facilitators[each.name] = each.url;
    out.default_facilitator = lists.facilitators.default_name;
    out.find_network = [&table = lists.networks.table](std::string_view name
                       ) -> std::optional<offer::network_info> {
        const x402::network* found = table.find(name);
        if (!found)
            return std::nullopt;
        offer::network_info info;
        info.caip2 = found->caip2;
        for (const x402::token& each : found->tokens)
            info.assets.push_back({each.address, each.symbol, each.decimals, each.name, each.version});
        return info;
    };
    // A chain without a registry is there for the verifier only.
    for (const config::chain& each : lists.chains.entries)
    {
        if (!each.registry.empty())
            out.chains.push_back({each.name, each.registry});
    }
    for (const config::credential_entry& each : lists.credentials.entries)
        out.credentials.push_back({each.name, each.namespaces});
    return out;
}

}  // namespace portitor::roles
