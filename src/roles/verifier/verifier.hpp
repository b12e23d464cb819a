#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>

namespace portitor::roles {

/// --role=verifier: serves PaymentRoutes to the gateway's ForwardAuth.
std::unique_ptr<role> make_verifier(const process& around, const settings& config);

}  // namespace portitor::roles
