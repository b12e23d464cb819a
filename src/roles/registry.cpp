#include "roles/registry.hpp"

#include "cli/once/once.hpp"
#include "roles/controller/controller.hpp"
#include "roles/registrar/registrar.hpp"
#include "roles/verifier/verifier.hpp"

#include <algorithm>
#include <array>

namespace portitor::roles {

std::span<const role_entry> all_roles()
{
    static constexpr std::array entries{
        role_entry{"controller", "turns ServiceOffers into routes and keeps them true", &make_controller},
        role_entry{"verifier", "answers the gateway: is this request paid for?", &make_verifier},
        role_entry{"registrar", "registers offers on chain (ERC-8004)", &make_registrar},
        role_entry{"once", "shows what would be made of an offer, and writes nothing", &make_once, false},
    };
    return entries;
}

const role_entry* find_role(std::string_view name)
{
    const auto all = all_roles();
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const role_entry& each) { return each.name == name; });
    return at == all.end() ? nullptr : &*at;
}

}  // namespace portitor::roles
