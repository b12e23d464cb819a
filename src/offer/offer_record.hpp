#pragma once

#include "offer/place.hpp"

#include <portitor/api/service_offer.hpp>
#include <portitor/api/unsupported.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::offer {

/// What the status of an offer says, as it was last written.
struct offer_status
{
    std::int64_t observed_generation = 0;
    std::string phase;
    std::string endpoint;
    std::string agent_id;
    std::string registration_tx_hash;
    std::vector<kube::condition> conditions;  ///< of others too

    /// The condition of that type where it is about this generation; else null.
    const kube::condition* find_present(std::string_view type, std::int64_t generation) const;
};

/// A ServiceOffer, read once when it comes. Immutable once shared.
struct offer_record
{
    kube::object_meta meta;  ///< without owners: an offer's decide nothing
    /// Whether the operator's selector has it: see offer_selection.
    bool selected = true;
    /// Nothing is known but which offer it is: neither who holds it nor whether it is being deleted.
    bool identity_only = false;
    std::optional<api::service_offer> spec;           ///< absent where it cannot be read
    std::string unreadable;                           ///< why: the field, and how to write it
    std::vector<api::unsupported_field> unsupported;  ///< also of a spec that cannot be read
    place where;                ///< also of a spec that cannot be read, as well as may be
    kube::object_key upstream;  ///< the Service, likewise
    offer_status status;

    /// Whether it is Portitor's to act on: selected, or not released yet since it was so.
    bool is_ours() const;

    /// Reads an object; never fails.
    static std::shared_ptr<const offer_record> read(const kube::object& offer, bool selected = true);
    /// The same of what the API server sent. errc::protocol for what is no object.
    static result<std::shared_ptr<const offer_record>>
    decode(boost::json::object&& raw, bool selected = true);
    /// What stands for an offer that could not be read. `raw` is what there is of it, perhaps nothing.
    static std::shared_ptr<const offer_record> stand_in(
        const kube::object_identity& which,
        boost::json::object&& raw,
        const std::string& why,
        bool selected = true
    );
};

using record_ptr = std::shared_ptr<const offer_record>;

}  // namespace portitor::offer
