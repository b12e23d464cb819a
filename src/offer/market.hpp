#pragma once

#include "offer/observation.hpp"
#include "offer/path_index.hpp"
#include "offer/seniority.hpp"
#include "offer/surroundings.hpp"

#include <vector>

namespace portitor::offer {

/// The stores that offers are judged by, and what is worked out from them: who has which place, what leads
/// around a gate, what may lead where. The controller keeps them true by watches; a command fills them once.
/// One strand.
class market
{
public:
    using keys = std::vector<kube::object_key>;

    /// What must outlive this. Before the first object comes: adds indexes.
    struct kinds
    {
        kube::informer<offer_record>& offers;
        by_child<kube::object_informer*> children;
        kube::object_informer& grants;
        kube::object_informer& services;
    };

    market(const kinds& stores, const plan_settings& settings);

    const surroundings& around() const { return around_; }
    child_finder find_child() const;

    /// Takes a change of an offer, or looks at it again because time has passed. Returns the other offers
    /// whose place has another owner now, or that are no longer within the namespace's limit, or within it
    /// again.
    keys update_path(const kube::change<offer_record>& of, clock::time_point now);

    /// Looks at what is there of an offer and around it. What was asked, what is remembered, and whether the
    /// verifier is ready is left to be added.
    observation observe(record_ptr offer) const;

    /// The offer and its children alone: what can be seen without judging anything.
    observation glance(record_ptr offer) const;

private:
    bool has_given_up_place(const offer_record& offer, clock::time_point now) const;

    kinds stores_;
    path_index paths_;
    seniority ages_;
    surroundings around_;
};

/// Whether one endpoint of these EndpointSlices is ready.
bool any_endpoint_ready(const kube::object_informer& slices);

}  // namespace portitor::offer
