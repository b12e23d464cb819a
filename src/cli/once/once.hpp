#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>

namespace portitor::roles {

/// --role=once: shows what the controller would make of the offers in a file. Writes nothing.
std::unique_ptr<role> make_once(const process& around, const settings& config);

}  // namespace portitor::roles
