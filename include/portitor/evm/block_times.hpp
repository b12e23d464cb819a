#pragma once

#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/rpc_error.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace portitor::evm {

/// Who tells of single blocks.
class block_reader
{
public:
    /// Nothing where the node has no such block (yet). Implementations check that it is this one.
    virtual boost::asio::awaitable<rpc_result<std::optional<block>>> block_at(std::uint64_t number) = 0;

protected:
    ~block_reader() = default;
};

/// Where in a chain a time is. Remembers how long blocks take, so that one question is enough the next time.
/// One strand; callers may overlap.
class block_times
{
public:
    /// A block to `head` that is not later than `time` (Unix seconds), and not much earlier where it can be
    /// guessed; 0 where there is none. Nothing where the node lacks a block on the way. Some thirty questions
    /// at most. `head_time`, where it is known, saves one.
    boost::asio::awaitable<rpc_result<std::optional<std::uint64_t>>> block_before(
        block_reader& node,
        std::uint64_t time,
        std::uint64_t head,
        std::optional<std::uint64_t> head_time = std::nullopt
    );

    /// How long a block takes, as far as it was measured.
    std::optional<std::chrono::milliseconds> block_time() const;

private:
    struct point
    {
        std::uint64_t number = 0;
        std::uint64_t time = 0;
    };

    static boost::asio::awaitable<rpc_result<std::optional<point>>>
    ask(block_reader& node, std::uint64_t number);
    boost::asio::awaitable<rpc_result<std::optional<point>>>
    measure(block_reader& node, std::uint64_t head, std::optional<std::uint64_t> head_time);
    static std::uint64_t guess(const point& from, std::uint64_t time, std::uint64_t milliseconds);

    // Only guesses come of these: what a node says of the block that is guessed is what counts.
    std::optional<point> near_{};
    std::uint64_t milliseconds_ = 0;  ///< that a block takes; 0: not measured yet
};

}  // namespace portitor::evm
