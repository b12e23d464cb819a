#include "catch.hpp"

#include <portitor/core/concurrency_limit.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <vector>

using namespace portitor;
namespace asio = boost::asio;

namespace {

// Enters, says so, and stays until it is told to leave.
struct guest
{
    bool inside = false;
    bool failed = false;
    std::optional<asio::steady_timer> stay;
    asio::cancellation_signal signal;
};

asio::awaitable<void> visit(concurrency_limit& limit, guest& self)
{
    const concurrency_limit::place place = co_await limit.enter();
    self.inside = true;
    boost::system::error_code ignored;
    self.stay.emplace(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await self.stay->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    self.inside = false;
}

struct house
{
    asio::io_context context;
    concurrency_limit limit{2};
    std::vector<std::unique_ptr<guest>> guests;

    ~house()
    {
        for (const auto& each : guests)
            cancel(*each);
    }

    guest& arrive()
    {
        guest& self = *guests.emplace_back(std::make_unique<guest>());
        asio::co_spawn(
            context,
            visit(limit, self),
            asio::bind_cancellation_slot(
                self.signal.slot(), [&self](std::exception_ptr thrown) { self.failed = thrown != nullptr; }
            )
        );
        context.restart();
        context.poll();
        return self;
    }

    void leave(guest& self)
    {
        self.stay->cancel();
        context.restart();
        context.poll();
    }

    void cancel(guest& self)
    {
        self.signal.emit(asio::cancellation_type::terminal);
        context.restart();
        context.poll();
    }
};

}  // namespace

TEST_CASE("so many are inside at a time, in the order in which they came", "[core][concurrency]")
{
    house all;
    guest& first = all.arrive();
    guest& second = all.arrive();
    guest& third = all.arrive();
    guest& fourth = all.arrive();
    CHECK(first.inside);
    CHECK(second.inside);
    CHECK_FALSE(third.inside);
    CHECK(all.limit.waiting() == 2);
    all.leave(second);
    CHECK(third.inside);
    CHECK_FALSE(fourth.inside);
    all.leave(first);
    CHECK(fourth.inside);
    all.leave(third);
    all.leave(fourth);
    CHECK(all.limit.waiting() == 0);
    CHECK(all.arrive().inside);
    CHECK(all.arrive().inside);
    CHECK_FALSE(all.arrive().inside);
}

TEST_CASE("who is canceled in the line loses nothing for the others", "[core][concurrency]")
{
    house all;
    guest& first = all.arrive();
    all.arrive();
    guest& third = all.arrive();
    guest& fourth = all.arrive();
    all.cancel(third);
    CHECK(third.failed);
    CHECK(all.limit.waiting() == 1);
    all.leave(first);
    CHECK(fourth.inside);
}

TEST_CASE("a place that is given to one who is canceled at the same time is passed on", "[core][concurrency]")
{
    house all;
    guest& first = all.arrive();
    all.arrive();
    guest& third = all.arrive();
    guest& fourth = all.arrive();
    first.stay->cancel();
    third.signal.emit(asio::cancellation_type::terminal);
    all.context.restart();
    all.context.poll();
    CHECK(third.failed);
    CHECK(fourth.inside);
}

TEST_CASE("a line may be given up with its executor", "[core][concurrency]")
{
    concurrency_limit limit(1);
    {
        asio::io_context context;
        guest first;
        guest second;
        asio::co_spawn(context, visit(limit, first), asio::detached);
        asio::co_spawn(context, visit(limit, second), asio::detached);
        context.poll();
        CHECK(limit.waiting() == 1);
        first.stay->cancel();
        context.poll_one();  // the second has been called, and will never come
    }
    CHECK(limit.waiting() == 0);
}
