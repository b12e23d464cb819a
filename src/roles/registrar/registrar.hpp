#pragma once

#include "roles/registrar/options.hpp"
#include "roles/role.hpp"

#include <memory>

namespace portitor::roles {

/// --role=registrar: executes RegistrationRequests. What `around` refers to must outlive the role; the
/// options must be resolved.
std::unique_ptr<role> make_registrar(const process& around, registrar::options options);

}  // namespace portitor::roles
