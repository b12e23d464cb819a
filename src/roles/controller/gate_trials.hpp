#pragma once

#include "offer/observation.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>

#include <map>
#include <string>
#include <vector>

namespace portitor::controller {

/// When offers whose gate was seen open are tried again: at once where the spec, a route or a Middleware
/// changes, though not twice in half a minute; else after five minutes, and then later each time, after an
/// hour at most. A trial lasts until it has its answer. One strand.
class gate_trials
{
public:
    /// All of it must outlive this.
    gate_trials(const timekeeper& time, const clock& wall) : time_(time), wall_(wall) {}

    /// Adds to what is seen of an offer whether it is tried now.
    void recall(offer::observation& seen);

    /// Something has changed that may be why gates were open. Returns the offers to look at again.
    std::vector<kube::object_key> note_change();

    void forget(const kube::object_key& offer) { trials_.erase(offer); }

private:
    struct trial
    {
        std::int64_t generation = 0;
        std::string word;  ///< empty: it waits
        timekeeper::time_point due;
        timekeeper::time_point soonest;  ///< whatever changes
        std::chrono::seconds wait{};
    };

    trial& find(const offer::offer_record& offer, const kube::condition& told);

    const timekeeper& time_;
    const clock& wall_;
    std::map<kube::object_key, trial> trials_;
};

}  // namespace portitor::controller
