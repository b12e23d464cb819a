#pragma once

#include "offer/child.hpp"
#include "offer/offer_record.hpp"

#include <optional>
#include <string>

namespace portitor::offer {

/// What is known about the upstream as the offer's present spec names it. A probe of another target is
/// `unknown`.
struct probe_result
{
    enum class verdict
    {
        unknown,
        healthy,
        unhealthy,
    };

    verdict health = verdict::unknown;
    /// The class of what is unhealthy: "HTTP 503", "connection refused"; never a response body.
    std::string failure;
    unsigned consecutive_failures = 0;

    bool operator==(const probe_result&) const = default;
};

/// What the runtime said of the offer's model.
struct model_listing
{
    enum class verdict
    {
        unknown,
        listed,
        missing,
        unreadable,
    };

    verdict said = verdict::unknown;
    std::string failure;  ///< the class of what is unreadable; never a body

    bool operator==(const model_listing&) const = default;
};

/// What an unpaid request through the gateway has shown.
struct gate_proof
{
    enum class verdict
    {
        unknown,
        proved,
        not_proved,  ///< twice in a row something else answered
        open,        ///< it was answered as if it were paid
    };

    verdict said = verdict::unknown;
    std::string failure;    ///< what answered instead
    unsigned failures = 0;  ///< in a row
    unsigned attempts = 0;  ///< while the gateway may not have taken up the route yet

    bool operator==(const gate_proof& other) const { return said == other.said && failure == other.failure; }
};

/// Who decides where the upstream's Service leads.
enum class service_nature
{
    ordinary,  ///< its selector does; or it is not there
    by_hand,   ///< it has no selector: who writes its EndpointSlices does
    external,  ///< it is an ExternalName: a name in DNS does, of anything anywhere
};

/// An offer, and what is seen of its surroundings.
struct observation
{
    record_ptr offer;  ///< never null
    offer::children children;
    probe_result probe;
    model_listing model;
    gate_proof proof;
    std::optional<bool> verifier_ready;  ///< whether the verifier's Service has a ready endpoint
    std::string path_owner;     ///< "namespace/name" of an older offer that has this path; empty: none
    bool path_crowded = false;  ///< that offer keeps many from theirs, not only this one
    bool beyond_limit = false;  ///< as many older offers as the namespace may have are there
    service_nature service = service_nature::ordinary;  ///< of the upstream
    /// Until the status may be written for the sake of other words alone; 0: now.
    std::chrono::milliseconds words_wait{0};
    std::string way_around;         ///< words for an HTTPRoute that leads around the gate; empty: none
    bool upstream_granted = false;  ///< a ReferenceGrant allows an upstream of another namespace
};

}  // namespace portitor::offer
