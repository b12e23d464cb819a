#pragma once

#include "offer/child.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/api/service_offer.hpp>

namespace portitor::offer {

/// What an offer's children are to be, every field written out so that an edit by hand shows.
/// The Middleware names the offer in its address: a request through the offer's HTTPRoute is judged by that
/// offer's rules, and refused where the verifier does not know it. `token` is what it shows the verifier, to
/// have the upstream's credential; empty: nothing.
boost::json::object
desired_middleware(const api::service_offer& offer, std::string_view token, const plan_settings& settings);
/// The Middleware that comes before it where the operator names origins: Traefik answers preflight requests
/// by it, so that none of them passes to the upstream unpaid, and lets pages of these origins read the
/// answers.
/// Whether an offer has one of the Middlewares that not every one has.
bool has_middleware(child_kind kind, const api::service_offer& offer, const plan_settings& settings);

/// One of those that bound what the gateway lets through. @pre the offer has it
boost::json::object desired_limit_middleware(child_kind kind, const api::service_offer& offer);

boost::json::object desired_cors_middleware(const api::service_offer& offer, const plan_settings& settings);
/// `sells`: whether any of its paths is paid. Then no cache is to keep what one buyer has paid for.
boost::json::object
desired_http_route(const api::service_offer& offer, const plan_settings& settings, bool sells);
/// What there is of it while its gate is tried: nothing but that path, through the same filters.
boost::json::object
desired_trial_route(const api::service_offer& offer, const plan_settings& settings, const std::string& path);
boost::json::object desired_payment_route(const api::service_offer& offer, const api::payment_route& route);
/// `active`: what the document says where the operator wants it on that chain.
boost::json::object desired_registration(
    const api::service_offer& offer, const config::chain& chain, const plan_settings& settings, bool active
);

/// The object with an annotation that is a digest of it.
boost::json::object stamped(boost::json::object desired);

/// The Gateway, as routes name it.
boost::json::object parent_reference(const plan_settings& settings);

/// A Service that a rule of a route leads to.
boost::json::object backend_reference(std::string_view service, std::uint16_t port);

/// The live request with its desired state set to Retired and nothing else changed. Carries the uid, so that
/// a request that is gone is not made again. The offer may be gone, and its uid be empty where nothing names
/// it any more.
boost::json::object retired_registration(const kube::object_identity& offer, const kube::object& live);

/// Why a child that is not ours is in the way, and what to do.
std::string taken_message(const kube::object& child, const kube::object_identity& offer);

}  // namespace portitor::offer
