#include "offer/chains.hpp"

#include <portitor/api/registration_request.hpp>
#include <portitor/evm/address.hpp>

#include <algorithm>

namespace portitor::offer {

const config::chain* find_chain(const std::string& name, const plan_settings& settings)
{
    const x402::network_table& networks = settings.lists.networks.table;
    const x402::network* asked = networks.find(name);
    const auto is_meant = [&](const config::chain& each) {
        const bool named = name.empty() || each.name == name || (asked && networks.find(each.name) == asked);
        return named && !each.registry.empty();
    };
    const auto& all = settings.lists.chains.entries;
    const auto at = std::find_if(all.begin(), all.end(), is_meant);
    return at == all.end() ? nullptr : &*at;
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
    // Spelled in another case it is the same contract.
    const auto there = evm::address::parse(kube::string_at(live.spec(), "registry"));
    const auto here = evm::address::parse(wanted.registry);
    const bool same_registry = there && here && *there == *here;
    return !same_chain || !same_registry;
}

}  // namespace portitor::offer
