#pragma once

#include <portitor/config/chains.hpp>
#include <portitor/config/credentials.hpp>
#include <portitor/config/facilitators.hpp>
#include <portitor/config/groups.hpp>
#include <portitor/config/networks.hpp>
#include <portitor/config/offer_limits.hpp>

namespace portitor::config {

/// What the operator allows, the same for the controller, which resolves names, and the verifier, which
/// admits what they stand for.
struct operator_lists
{
    facilitator_list facilitators;
    credential_list credentials;
    network_list networks;
    chain_list chains;
    offer_limits offers;

    void declare(loader& into) { declare_all(into, facilitators, credentials, networks, chains, offers); }
    result<void> resolve() { return resolve_all(facilitators, credentials, networks, chains, offers); }
};

}  // namespace portitor::config
