#pragma once

#include "offer/child.hpp"
#include "offer/offer_record.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/api/registration_request.hpp>

#include <optional>
#include <string>

namespace portitor::controller {

/// An offer and, of its children, PaymentRoute and RegistrationRequest, as the stores hold them.
struct offer_view
{
    offer::record_ptr offer;  ///< null where there is none
    offer::children children;

    const kube::object* own(offer::child_kind kind) const { return children[kind].own(); }
};

/// What discovery may say of an offer. Nothing of it is secret or internal: no upstream, no credential, no
/// facilitator.
struct listing
{
    /// What can be bought now; absent for an offer that is not listed. Listed is what the controller found
    /// Ready in its present generation, is not draining, not being deleted and not suspended.
    struct sale
    {
        api::service_offer offer;
        api::payment_route terms;  ///< as the verifier sells it
    };

    std::optional<sale> sold;
    /// Until when `sold` may hold without an event: the offer's drainAt.
    std::optional<clock::time_point> until;
};

/// Decides whether an offer is listed. Pure; takes any object.
listing make_listing(const offer_view& seen, clock::time_point now);

}  // namespace portitor::controller
