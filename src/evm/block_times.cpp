#include <portitor/evm/block_times.hpp>

#include <algorithm>
#include <utility>

namespace portitor::evm {

namespace asio = boost::asio;

namespace {

// Over so many blocks their time is measured.
constexpr std::uint64_t sample = 1000;
constexpr std::uint64_t longest_block = 3'600'000;  // milliseconds; what takes longer was a halt
constexpr int most_guesses = 24;
constexpr std::uint64_t millisecond = 1000;                // of a second
constexpr std::uint64_t longest_time = 1'000'000'000'000;  // seconds; no chain is as old

std::uint64_t distance(std::uint64_t left, std::uint64_t right)
{
    return left > right ? left - right : right - left;
}

}  // namespace

asio::awaitable<rpc_result<std::optional<block_times::point>>>
block_times::ask(block_reader& node, std::uint64_t number)
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

asio::awaitable<rpc_result<std::optional<block_times::point>>>
block_times::measure(block_reader& node, std::uint64_t head, std::optional<std::uint64_t> head_time)
{
    std::optional<point> last;
    if (head_time)
    {
        last = point{head, *head_time};
    }
    else
    {
        const auto asked = co_await ask(node, head);
        if (!asked)
            co_return asked.error();
        last = *asked;
    }
    if (!last)
        co_return last;
    const std::uint64_t number = head > sample ? head - sample : 0;
    const auto before = co_await ask(node, number);
    if (!before)
        co_return before.error();
    if (!*before)
        co_return std::optional<point>();
    const std::uint64_t took = last->time - std::min((*before)->time, last->time);
    const std::uint64_t blocks = std::max<std::uint64_t>(head - number, 1);
    milliseconds_ = std::clamp<std::uint64_t>(
        std::min(took, longest_block * blocks / millisecond) * millisecond / blocks, 1, longest_block
    );
    co_return last;
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

std::optional<std::chrono::milliseconds> block_times::block_time() const
{
    if (milliseconds_ == 0)
        return std::nullopt;
    return std::chrono::milliseconds(milliseconds_);
}

asio::awaitable<rpc_result<std::optional<std::uint64_t>>> block_times::block_before(
    block_reader& node, std::uint64_t time, std::uint64_t head, std::optional<std::uint64_t> head_time
)
{
    // Who comes meanwhile measures anew.
    std::optional<point> start = std::exchange(near_, std::nullopt);
    if (!start)
    {
        const auto measured = co_await measure(node, head, head_time);
        if (!measured)
            co_return measured.error();
        if (!*measured)
            co_return std::optional<std::uint64_t>();
        start = *measured;
    }
    point from = *start;
    if (head_time && distance(*head_time, time) < distance(from.time, time))
        from = {head, *head_time};
    std::uint64_t milliseconds = milliseconds_;
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

}  // namespace portitor::evm
