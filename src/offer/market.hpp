#pragma once

#include "offer/observation.hpp"
#include "offer/path_index.hpp"
#include "offer/place_memory.hpp"
#include "offer/seniority.hpp"
#include "offer/surroundings.hpp"

#include <functional>
#include <map>
#include <string>
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
        /// Null: no Namespace is known.
        kube::object_informer* namespaces = nullptr;
    };

    market(const kinds& stores, const plan_settings& settings);

    const surroundings& around() const { return around_; }
    surroundings& around() { return around_; }

    /// Adds what is known of an offer's gate to what is seen of it, before who asks for which place is judged
    /// by it.
    using gate_memory = std::function<void(observation& seen)>;
    void remember_gates_by(gate_memory recall) { recall_gate_ = std::move(recall); }

    child_finder find_child() const;

    /// Takes a change of an offer, or looks at it again because time has passed. Returns the other offers
    /// whose place has another owner now, or that are no longer within the namespace's limit, or within it
    /// again.
    keys update_path(const kube::change<offer_record>& of, clock::time_point now);

    /// The offers whose host may be theirs, or no more, with the labels that their Namespace has now.
    keys concerned_by_namespace(const kube::change<kube::object>& of) const;

    /// The hosts of their own that offers are published at, or would be: none that their namespace may not
    /// have.
    const std::map<std::string, std::size_t>& hosts() const { return paths_.hosts(); }
    std::uint64_t hosts_version() const { return paths_.hosts_version(); }

    /// Looks at what is there of an offer and around it. What was asked, what is remembered, and whether the
    /// verifier is ready is left to be added.
    observation observe(record_ptr offer) const;

    /// The offer and its children alone: what can be seen without judging anything.
    observation glance(record_ptr offer) const;

private:
    kube::object_ptr home_of(const offer_record& offer) const;
    bool is_published_now(const record_ptr& offer) const;
    bool asks_for_place_now(const record_ptr& offer, clock::time_point now) const;
    void look_around(observation& seen) const;

    kinds stores_;
    const plan_settings& settings_;
    place_memory rights_;
    path_index paths_;
    seniority ages_;
    surroundings around_;
    gate_memory recall_gate_;
};

/// Whether one endpoint of these EndpointSlices is ready.
bool any_endpoint_ready(const kube::object_informer& slices);

}  // namespace portitor::offer
