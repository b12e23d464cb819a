#pragma once

#include "offer/offer_record.hpp"

#include <map>
#include <optional>
#include <string>

namespace portitor::offer {

/// Since when each offer is published at the place that it asks for. Whoever is there keeps it from all who
/// come later, also from older offers that have asked for another place or could not be sold: else anybody
/// with an old offer could have any younger one's path. Who is withheld has it back within a day, so that
/// nobody loses a path to those who wait for his first mistake. One strand.
class place_memory
{
public:
    /// Comes after all times at which somebody was published.
    static constexpr clock::time_point never = clock::time_point::max();

    /// Takes how an offer is now. `where`: what it asks for; `published`: really there.
    /// @returns since when it has a right to that place; never: it has none but its age
    clock::time_point
    note(const offer_record& offer, const place& where, bool published, clock::time_point now);

    void forget(const kube::object_key& offer) { known_.erase(offer); }

private:
    struct holding
    {
        std::string uid;
        place where;
        clock::time_point since = never;
        std::optional<clock::time_point> left = {};  ///< when it was withheld
    };

    std::map<kube::object_key, holding> known_;
};

}  // namespace portitor::offer
