#pragma once

#include "roles/role.hpp"
#include "roles/verifier/options.hpp"

#include <memory>

namespace portitor::roles {

/// --role=verifier: serves PaymentRoutes to the gateway's ForwardAuth. What `around` refers to must outlive
/// the role; the options must be resolved.
std::unique_ptr<role> make_verifier(const process& around, verifier::options options);

}  // namespace portitor::roles
