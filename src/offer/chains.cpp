#include "offer/chains.hpp"

#include <algorithm>

namespace portitor::offer {

const registration_chain* find_chain(const std::string& name, const plan_settings& settings)
{
    if (settings.chains.empty())
        return nullptr;
    if (name.empty())
        return &settings.chains.front();
    const x402::network* asked = settings.networks.find(name);
    const auto is_meant = [&](const registration_chain& each) {
        return each.name == name || (asked && settings.networks.find(each.name) == asked);
    };
    const auto at = std::find_if(settings.chains.begin(), settings.chains.end(), is_meant);
    return at == settings.chains.end() ? nullptr : &*at;
}

}  // namespace portitor::offer
