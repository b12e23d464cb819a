#include "offer/chains.hpp"

#include <portitor/api/registration_request.hpp>
#include <portitor/config/find_chain.hpp>
#include <portitor/evm/address.hpp>

namespace portitor::offer {

const config::chain* find_chain(const std::string& name, const plan_settings& settings)
{
    return config::find_chain(name, settings.lists.chains, settings.lists.networks.table);
}

bool is_registered_elsewhere(
    const kube::object& live, const config::chain& wanted, const plan_settings& settings
)
{
    if (!api::read_registration_state(live).touched_chain())
        return false;
    const x402::network_table& networks = settings.lists.networks.table;
    const std::string chain = kube::string_at(live.spec(), "chain");
    const x402::network* known = networks.find(chain);
    const bool same_chain = chain == wanted.name || (known && known == networks.find(wanted.name));
    // A schema that knows no registry has dropped it, for good with the first write: that says nothing of
    // where the agent is.
    if (!live.spec().contains("registry"))
        return !same_chain;
    // Spelled in another case it is the same contract.
    const auto there = evm::address::parse(kube::string_at(live.spec(), "registry"));
    const auto here = evm::address::parse(wanted.registry);
    const bool same_registry = there && here && *there == *here;
    return !same_chain || !same_registry;
}

}  // namespace portitor::offer
