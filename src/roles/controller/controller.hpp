#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>

namespace portitor::roles {

/// --role=controller: derives everything from ServiceOffers, observes it, repairs it.
std::unique_ptr<role> make_controller(const process& around, const settings& config);

}  // namespace portitor::roles
