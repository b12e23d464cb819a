#include "block_times.hpp"

#include <algorithm>

namespace portitor::registrar {

namespace {

// Over so many blocks their time is measured.
constexpr std::uint64_t sample = 1000;
constexpr std::uint64_t longest_block = 3'600'000;  // milliseconds; what takes longer was a halt
constexpr int most_guesses = 24;
constexpr std::uint64_t millisecond = 1000;                // of a second
constexpr std::uint64_t longest_time = 1'000'000'000'000;  // seconds; no chain is as old

}  // namespace

chain_questions::answer<std::optional<block_times::point>>
block_times::ask(chain_questions& node, std::uint64_t number)
{
    const auto found = co_await node.block_at(number);
    if (!found && is_lack(found.error()))
        co_return std::optional<point>();
    if (!found)
        co_return found.error();
    if (!*found)
        co_return std::optional<point>();
    co_return std::optional(point{number, (*found)->timestamp});
}

chain_questions::answer<bool> block_times::measure(chain_questions& node, std::uint64_t head)
{
    const auto last = co_await ask(node, head);
    if (!last)
        co_return last.error();
    if (!*last)
        co_return false;
    const std::uint64_t number = head > sample ? head - sample : 0;
    const auto before = co_await ask(node, number);
    if (!before)
        co_return before.error();
    if (!*before)
        co_return false;
    near_ = **last;
    const std::uint64_t took = near_->time - std::min((*before)->time, near_->time);
    const std::uint64_t blocks = std::max<std::uint64_t>(head - number, 1);
    milliseconds_ = std::clamp<std::uint64_t>(
        std::min(took, longest_block * blocks / millisecond) * millisecond / blocks, 1, longest_block
    );
    co_return true;
}

std::uint64_t block_times::guess(const point& from, std::uint64_t time, std::uint64_t milliseconds)
{
    const bool back = from.time > time;
    const std::uint64_t seconds = back ? from.time - time : time - from.time;
    if (seconds > longest_time)
        return 0;
    // A little earlier than it should be, since every miss costs a question.
    const std::uint64_t blocks = seconds * millisecond / milliseconds;
    const std::uint64_t margin = blocks / 16 + 8;
    if (back)
        return from.number - std::min(blocks + margin, from.number);
    const std::uint64_t number = from.number + blocks;
    return number - std::min(margin, number);
}

chain_questions::answer<std::optional<std::uint64_t>>
block_times::block_before(chain_questions& node, std::uint64_t time, std::uint64_t head)
{
    if (!near_)
    {
        const auto measured = co_await measure(node, head);
        if (!measured)
            co_return measured.error();
        if (!*measured)
            co_return std::optional<std::uint64_t>();
    }
    point from = *near_;
    std::uint64_t milliseconds = milliseconds_;
    near_.reset();
    for (int tried = 0; tried < most_guesses; ++tried)
    {
        const std::uint64_t number = std::min(guess(from, time, milliseconds), head);
        if (number == 0)
            break;
        const auto found = co_await ask(node, number);
        if (!found)
            co_return found.error();
        if (!*found)
            co_return std::optional<std::uint64_t>();
        from = **found;
        if (from.time <= time)
        {
            near_ = from;
            co_return std::optional(number);
        }
        // Blocks took less then than they do now.
        milliseconds = std::max<std::uint64_t>(milliseconds / 2, 1);
    }
    co_return std::optional<std::uint64_t>(0);
}

}  // namespace portitor::registrar
