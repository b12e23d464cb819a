#pragma once

#include "offer/child.hpp"
#include "offer/offer_record.hpp"

#include <portitor/api/served_schema.hpp>
#include <portitor/x402/supported.hpp>

#include <memory>
#include <optional>
#include <set>
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
        elsewhere,   ///< likewise, but by a route of somebody else that the gateway prefers
    };

    verdict said = verdict::unknown;
    std::string failure;    ///< what answered instead
    std::string other;      ///< words for a rule of somebody else that the gateway may prefer; empty: none
    unsigned failures = 0;  ///< in a row
    unsigned attempts = 0;  ///< while the gateway may not have taken up the route yet

    bool operator==(const gate_proof& than) const
    {
        return said == than.said && failure == than.failure && other == than.other;
    }
};

/// What the offer's facilitator says of the networks that it serves.
struct facilitator_word
{
    enum class verdict
    {
        unasked,
        unknown,  ///< it does not say
        listed,
    };

    verdict said = verdict::unasked;
    std::shared_ptr<const x402::served_networks> served;   ///< where it is listed
    std::string failure;                                   ///< why it is unknown; never a body
    unsigned failures = 0;                                 ///< in a row
    std::shared_ptr<const x402::served_networks> claimed;  ///< in the last answer, where it waits for another

    bool operator==(const facilitator_word& other) const
    {
        return said == other.said && failure == other.failure &&
               (served == other.served || (served && other.served && *served == *other.served));
    }
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
    facilitator_word facilitator;
    /// Of an offer whose gate was seen open: what the path of its trial is made with, while it is tried;
    /// empty: it is not. See gate_trial.hpp.
    std::string trial;
    std::optional<std::chrono::milliseconds> next_trial;  ///< until then
    std::optional<bool> verifier_ready;  ///< whether the verifier's Service has a ready endpoint
    std::string path_owner;     ///< "namespace/name" of an earlier offer that has this path; empty: none
    kube::object_ptr home;      ///< its Namespace, where that is looked at; null: not known
    bool path_crowded = false;  ///< that offer keeps many from theirs, not only this one
    bool beyond_limit = false;  ///< as many older offers as the namespace may have are there
    service_nature service = service_nature::ordinary;  ///< of the upstream
    /// Until the status may be written for the sake of other words alone; 0: now.
    std::chrono::milliseconds words_wait{0};
    /// Types of conditions that have been True of this generation already, and until such a one may be
    /// written as True again; 0: now.
    std::set<std::string> been_true;
    std::chrono::milliseconds recovery_wait{0};
    std::string way_around;         ///< words for an HTTPRoute that leads around the gate; empty: none
    std::string name_clash;         ///< words for what others have by the same name; empty: nothing
    bool upstream_granted = false;  ///< a ReferenceGrant allows an upstream of another namespace
    api::served_schema served{};    ///< what may be written
};

}  // namespace portitor::offer
