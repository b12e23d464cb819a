#include "cli/doctor/patient.hpp"

namespace portitor::cli::doctor {

const std::vector<area>& all_areas()
{
    static const std::vector<area> areas{
        {"api-server", "reached, its version, latency, clocks", false, &examine_api_server},
        {"crds", "custom resources, those of others, admission policies", false, &examine_crds},
        {"rights", "of each role, and of doctor", false, &examine_rights},
        {"roles", "Deployments, versions, Leases", false, &examine_roles},
        {"gateway", "Gateway, listeners, verifier, discovery", false, &examine_gateway},
        {"traefik", "its settings that matter to the gate", false, &examine_traefik},
        {"bypasses", "other routes to what is sold", false, &examine_bypasses},
        {"gate", "unpaid requests are refused", true, &examine_gate},
        {"facilitators", "they answer, and serve the networks", true, &examine_facilitators},
        {"nodes", "nodes of the chains", true, &examine_nodes},
        {"certificates", "names and expiry", true, &examine_certificates},
        {"offers", "those that are not sold, by cause", false, &examine_offers},
    };
    return areas;
}

}  // namespace portitor::cli::doctor
