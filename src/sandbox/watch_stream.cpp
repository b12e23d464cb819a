#include "sandbox/watch_stream.hpp"

#include "sandbox/watch_text.hpp"

#include <algorithm>

namespace portitor::sandbox {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds bookmark_period(60);
// Enough of it at once.
constexpr std::size_t piece_size = 64 * 1024;

}  // namespace

watch_stream::watch_stream(server& of, request what)
    : server_(of), what_(std::move(what)), opened_(of.happened()), end_(of.time().now() + what_.timeout),
      next_bookmark_(of.time().now() + bookmark_period)
{}

asio::awaitable<result<std::string>> watch_stream::read_some(std::chrono::milliseconds idle)
{
    const auto give_up = server_.time().now() + idle;
    for (;;)
    {
        if (is_broken())
            co_return fail(errc::unavailable, "watching {}: the connection broke", what_.kind.plural);
        if (!server_.is_frozen())
        {
            if (std::string text = next_text(); !text.empty() || over_)
                co_return text;
        }
        if (server_.time().now() >= give_up)
            co_return fail(errc::timed_out, "watching {}: timed out", what_.kind.plural);
        const auto next = std::min(end_, next_bookmark_);
        co_await server_.wait_for_change(server_.is_frozen() ? give_up : std::min(give_up, next));
    }
}

bool watch_stream::is_broken() const
{
    return opened_.stops != server_.happened().stops || opened_.breaks != server_.happened().breaks;
}

std::string watch_stream::next_text()
{
    if (over_)
        return {};
    storage& from = server_.storage();
    if (what_.too_old || opened_.expiries != server_.happened().expiries || !from.remembers(what_.from))
    {
        over_ = true;
        return event_line("ERROR", too_old("too old resource version").body);
    }
    const std::string kind = what_.kind.id();
    std::string text;
    while (text.size() < piece_size)
    {
        const stored_change* next = from.next_change(what_.from);
        if (!next)
            break;
        what_.from = next->version;
        if (next->kind == kind)
            text += change_line(*next, what_.which, what_.metadata_only);
    }
    if (!text.empty())
        return text;
    const auto now = server_.time().now();
    over_ = now >= end_ || opened_.ends != server_.happened().ends || !from.knows(kind);
    if (!over_ && now < next_bookmark_)
        return {};
    next_bookmark_ = now + bookmark_period;
    return bookmark_line(what_.kind, what_.from);
}

}  // namespace portitor::sandbox
