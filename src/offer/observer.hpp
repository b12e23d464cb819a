#pragma once

#include "offer/observation.hpp"
#include "offer/path_index.hpp"
#include "offer/surroundings.hpp"

#include <functional>
#include <optional>

namespace portitor::offer {

/// Looks at what is there of an offer and around it, in what somebody holds. What was asked and what is
/// remembered is left to be added. One strand.
class observer
{
public:
    /// Where to look. All of it outlives the observer; what is null is not looked at.
    struct sources
    {
        child_finder find_child;
        const path_index* paths = nullptr;
        const offer::surroundings* around = nullptr;
        std::function<std::optional<bool>()> verifier_ready;  ///< see observation; may be empty
    };

    explicit observer(sources from) : from_(std::move(from)) {}

    observation observe(record_ptr offer) const;

private:
    sources from_;
};

}  // namespace portitor::offer
