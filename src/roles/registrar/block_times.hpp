#pragma once

#include "chain_questions.hpp"

#include <cstdint>
#include <optional>

namespace portitor::registrar {

/// Where in a chain a time is. Remembers how long blocks take, so that one question is enough the next time.
class block_times
{
public:
    /// A block to `head` that is not later than `time` (Unix seconds), and not much earlier where it can be
    /// guessed; 0 where there is none. Nothing where the node lacks a block on the way.
    chain_questions::answer<std::optional<std::uint64_t>>
    block_before(chain_questions& node, std::uint64_t time, std::uint64_t head);

private:
    struct point
    {
        std::uint64_t number = 0;
        std::uint64_t time = 0;
    };

    chain_questions::answer<std::optional<point>> ask(chain_questions& node, std::uint64_t number);
    chain_questions::answer<bool> measure(chain_questions& node, std::uint64_t head);
    static std::uint64_t guess(const point& from, std::uint64_t time, std::uint64_t milliseconds);

    // Only guesses come of these: what a node says of the block that is guessed is what counts.
    std::optional<point> near_{};
    std::uint64_t milliseconds_ = 0;  ///< that a block takes
};

}  // namespace portitor::registrar
