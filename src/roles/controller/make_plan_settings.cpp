#include "roles/controller/make_plan_settings.hpp"

namespace portitor::roles {

offer::plan_settings make_plan_settings(const settings& config)
{
    offer::plan_settings out;
    out.gateway = config.gateway;
    out.gateway_section = config.gateway_section;
    out.gateway_controller = config.gateway_controller;
    out.verifier_url = config.verifier_url;
    out.gateway_url = config.gateway_url;
    out.public_url = config.public_url;
    for (const facilitator& each : config.facilitators)
        out.facilitators[each.name] = each.url;
    out.default_facilitator = config.default_facilitator;
    out.networks = config.networks;
    // A chain without a registry is there for the verifier only.
    for (const chain& each : config.chains)
    {
        if (!each.registry.empty())
            out.chains.push_back({each.name, each.registry});
    }
    for (const credential_entry& each : config.credentials)
        out.credentials.push_back({each.name, each.namespaces});
    out.deletion_deadline = config.deletion_deadline;
    out.verifier_endpoints_required = !config.verifier_service.name.empty();
    return out;
}

}  // namespace portitor::roles
