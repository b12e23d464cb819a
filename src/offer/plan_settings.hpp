#pragma once

#include <portitor/kube/object.hpp>
#include <portitor/x402/networks.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace portitor::offer {

/// A credential for upstreams, and who may use it.
struct credential_info
{
    std::string name;
    std::vector<std::string> namespaces;  ///< "*" stands for all
};

/// A chain that the registrar serves.
struct registration_chain
{
    std::string name;
    std::string registry;
};

/// What the operator decided, as far as make_plan() depends on it.
struct plan_settings
{
    kube::object_key gateway;     ///< empty name: nothing can be published, and the conditions say so
    std::string gateway_section;  ///< listener; empty: any
    /// Whose word on a route counts (GatewayClass's spec.controllerName).
    std::string gateway_controller = "traefik.io/gateway-controller";
    std::string verifier_url;  ///< as the gateway reaches it, no slash at the end
    std::string gateway_url;   ///< as the controller reaches the gateway; empty: the gate is not proved
    std::string public_url;    ///< as buyers reach the gateway, no slash at the end; may be empty
    std::map<std::string, std::string> facilitators;  ///< name to URL
    std::string default_facilitator = "default";
    std::vector<credential_info> credentials;
    x402::network_table networks;
    std::vector<registration_chain> chains;  ///< the first one is meant where an offer names none
    bool verifier_endpoints_required = false;
    std::chrono::seconds probe_period{10};
    std::chrono::seconds deletion_deadline{300};
    unsigned suspend_after = 3;  ///< consecutive failed probes
};

}  // namespace portitor::offer
