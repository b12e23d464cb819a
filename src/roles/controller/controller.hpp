#pragma once

#include "roles/controller/options.hpp"
#include "roles/role.hpp"

#include <memory>

namespace portitor::roles {

/// --role=controller: derives everything from ServiceOffers, observes it, repairs it. What `around` refers to
/// must outlive the role; the options must be resolved.
std::unique_ptr<role> make_controller(const process& around, controller::options options);

}  // namespace portitor::roles
