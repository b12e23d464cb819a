#include <portitor/config/find_chain.hpp>

#include <algorithm>

namespace portitor::config {

const chain*
find_chain(const std::string& name, const chain_list& chains, const x402::network_table& networks)
{
    const x402::network* asked = networks.find(name);
    const auto is_meant = [&](const chain& each) {
        const bool named = name.empty() || each.name == name || (asked && networks.find(each.name) == asked);
        return named && !each.registry.empty();
    };
    const auto at = std::find_if(chains.entries.begin(), chains.entries.end(), is_meant);
    return at == chains.entries.end() ? nullptr : &*at;
}

}  // namespace portitor::config
