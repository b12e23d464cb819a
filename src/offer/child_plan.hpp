#pragma once

#include "offer/evidence.hpp"
#include "offer/steps.hpp"

#include <array>

namespace portitor::offer {

/// Looks at the offer again at `when` at the latest.
void look_again_at(plan& out, clock::time_point when, clock::time_point now);

/// Brings a child to what it should be, at once or when it may; nothing where it is so. What was found about
/// it is the return value.
decision plan_apply(plan& out, const observation& seen, child_kind kind, boost::json::object desired);

/// Deletes a child that is not being deleted already.
void plan_remove(plan& out, child_kind kind, const kube::object& live);

/// The children that sell the offer by these terms, or only try its gate by them. A Middleware for preflights
/// that is not wanted any more goes, once the route names it no more.
decisions publish_route(
    plan& out,
    const observation& seen,
    const plan_settings& settings,
    const api::payment_route& terms,
    bool on_trial
);

/// The order in which an offer is taken off the gateway: the HTTPRoute goes first and the terms last, so that
/// at no time a request gets past the gate.
inline constexpr std::array take_down_order{
    child_kind::http_route,
    child_kind::cors,
    child_kind::in_flight,
    child_kind::rate,
    child_kind::middleware,
    child_kind::payment_route};

/// One step of it, and what is still there; empty when all is gone. `patient` is false past the deadline:
/// then a child that somebody else's finalizer holds back is not waited for.
std::string take_down_route(plan& out, const observation& seen, bool patient);

}  // namespace portitor::offer
