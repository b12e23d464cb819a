#pragma once

#include "offer/draft.hpp"
#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"
#include "offer/steps.hpp"

#include <optional>
#include <string>

namespace portitor::offer {

/// The RegistrationRequest that an offer is to have as soon as it is sold; nothing where it wants none, or
/// the operator's lists do not say how. `active`: what its document says, where it carries one.
std::optional<boost::json::object>
wanted_registration(const api::service_offer& offer, const plan_settings& settings, bool active);

/// The registration of an offer that stays. It is made once the offer is `sold`, and then kept whatever
/// becomes of the upstream: the chain is no place for what changes by the minute. One that lies on another
/// chain than the offer wants now is retired there before the new one is made.
void plan_registration(
    plan& out,
    const observation& seen,
    const plan_settings& settings,
    const draft& wanted,
    bool sold,
    clock::time_point now
);

/// One step of ending a registration because the offer goes. The request is deleted at once: our finalizer
/// keeps it, and any record that the registrar starts to write on an older version of it then fails. Returns
/// what is still there; empty when all is gone.
std::string
end_registration(plan& out, const observation& seen, const plan_settings& settings, clock::time_point now);

/// One step of ending a request whose offer (`former`) is gone, because somebody took its finalizer off. It
/// is retired where it has touched the chain, and let go at the deadline at the latest. `first_seen`: when
/// that was found out.
plan make_leftover_plan(
    const kube::object& request,
    const kube::object_identity& former,
    clock::time_point first_seen,
    const plan_settings& settings,
    clock::time_point now
);

}  // namespace portitor::offer
