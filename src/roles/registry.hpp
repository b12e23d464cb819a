#pragma once

#include "roles/role.hpp"

#include <portitor/config/loader.hpp>

#include <memory>
#include <span>
#include <string_view>

namespace portitor::roles {

/// A role before it runs: it declares its options and, where it is the one that was asked for, resolves them
/// and makes the role.
class role_setup
{
public:
    virtual ~role_setup() = default;

    virtual void declare(config::loader& into) = 0;
    virtual result<void> resolve() = 0;
    virtual std::unique_ptr<role> make(const process& around) const = 0;
};

/// How a role is known to the command line.
struct role_entry
{
    std::string_view name;
    std::string_view summary;
    std::unique_ptr<role_setup> (*set_up)();
};

/// Every role of this binary. A new one is one line in registry.cpp.
std::span<const role_entry> all_roles();

}  // namespace portitor::roles
