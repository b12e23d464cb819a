#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>

namespace portitor::roles {

/// --role=registrar: executes RegistrationRequests.
std::unique_ptr<role> make_registrar(const process& around, const settings& config);

}  // namespace portitor::roles
