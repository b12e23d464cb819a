#pragma once

#include "offer/offer_record.hpp"

#include <portitor/kube/object.hpp>
#include <portitor/kube/store.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace portitor::offer {

/// The offers of each namespace by age (creationTimestamp, then name): of which only the oldest ones may be
/// sold, where the operator has set a limit. One that is being deleted counts no more, nor one that is not
/// Portitor's: not selected, or held by the predecessor. One strand.
class seniority
{
public:
    /// 0: no limit.
    explicit seniority(std::size_t limit) : limit_(limit) {}

    /// Takes a change of an offer, or takes it again. Returns the other offer that is now within the limit,
    /// or beyond it.
    std::vector<kube::object_key> update(const kube::change<offer_record>& of);

    /// Whether as many older ones as there may be are there.
    bool is_beyond(const offer_record& offer) const;

private:
    using age = std::pair<clock::time_point, std::string>;
    using ages = std::vector<age>;

    static age age_of(const offer_record& offer) { return {offer.meta.created, offer.meta.name}; }

    std::size_t limit_;
    std::map<std::string, ages> by_namespace_;  ///< in order
    std::map<kube::object_key, age> known_;
};

}  // namespace portitor::offer
