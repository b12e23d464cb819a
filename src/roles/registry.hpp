#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace portitor::roles {

/// How a role is known to the command line, and how it is made.
struct role_entry
{
    std::string_view name;
    std::string_view summary;
    std::unique_ptr<role> (*make)(const process& around, const settings& config);
    bool serves_health = true;  ///< whether it opens --health-listen
};

/// Every role of this binary. A new one is one line in registry.cpp.
std::span<const role_entry> all_roles();

/// The role of that name, or nullptr.
const role_entry* find_role(std::string_view name);

}  // namespace portitor::roles
