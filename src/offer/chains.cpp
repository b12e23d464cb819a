#include "offer/chains.hpp"

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

}  // namespace portitor::offer
