#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli {

/// Takes Portitor's finalizer off every ServiceOffer and RegistrationRequest, so that they can be deleted
/// when no controller runs any more. First it takes the controller's Lease away, for the controller would put
/// the finalizer on again: the controller ends, and none leads for a minute. Prints each object, and each
/// registration that stays on chain; with --dry-run it only does that. Exit code 1 where anything is still
/// held.
std::unique_ptr<action> make_release_finalizers();

}  // namespace portitor::cli
