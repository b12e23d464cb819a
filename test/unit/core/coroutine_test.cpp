// Not of our code but of the compiler: shapes of awaited expressions that g++ 12 miscompiles (temporaries
// destroyed twice, awaits that && should have skipped, loops that lose their body). The code uses them
// freely.

#include "catch.hpp"
#include "run.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace {

int alive = 0;

struct counted
{
    std::string text;

    explicit counted(std::string of) : text(std::move(of)) { ++alive; }
    counted(const counted& other) : text(other.text) { ++alive; }
    counted(counted&& other) noexcept : text(std::move(other.text)) { ++alive; }
    counted& operator=(const counted&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() { --alive; }
};

struct pair_of
{
    counted first;
    counted second = counted("a default that is too long for a small string");
};

const std::string longer(100, 'x');
constexpr std::size_t of_default = 45;

asio::awaitable<void> hop()
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<std::size_t> size_of(pair_of both)
{
    co_await hop();
    co_return both.first.text.size() + both.second.text.size();
}

asio::awaitable<std::size_t> size_of_referred(const pair_of& both)
{
    co_await hop();
    co_return both.first.text.size() + both.second.text.size();
}

asio::awaitable<std::size_t> size_at(const counted* at)
{
    co_await hop();
    co_return at ? at->text.size() : 0;
}

asio::awaitable<std::size_t> call(std::function<std::size_t()> what)
{
    co_await hop();
    co_return what();
}

template <typename Work>
asio::awaitable<std::size_t> call_coroutine(Work work)
{
    co_await hop();
    co_return co_await work();
}

asio::awaitable<counted> make()
{
    co_await hop();
    co_return counted(longer);
}

/// Counts how often it is asked; true until that is `most`.
asio::awaitable<bool> more(int& asked, int most)
{
    co_await hop();
    co_return ++asked < most;
}

asio::awaitable<void> temporaries()
{
    CHECK(co_await size_of({counted(longer)}) == 100 + of_default);
    CHECK(co_await size_of(pair_of{.first = counted(longer)}) == 100 + of_default);
    CHECK(co_await size_of_referred({.first = counted(longer), .second = counted(longer)}) == 200);
    CHECK((co_await size_of({counted(longer)})) + (co_await size_of({counted("")})) == 100 + 2 * of_default);
}

asio::awaitable<void> lambdas()
{
    const counted held(longer);
    CHECK(co_await call([held] { return held.text.size(); }) == 100);
    CHECK(
        co_await call_coroutine(
            [held, owned = std::make_unique<counted>(longer)]() -> asio::awaitable<std::size_t> {
                co_await hop();
                co_return held.text.size() + owned->text.size();
            }
        ) == 200
    );
}

asio::awaitable<void> alternatives(bool yes)
{
    const counted held(longer);
    CHECK(co_await size_at(yes ? &held : nullptr) == (yes ? 100 : 0));
    const std::size_t size = yes ? co_await size_of({counted(longer)}) : 0;
    CHECK(size == (yes ? 100 + of_default : 0));
    const counted one = yes ? counted("short") : co_await make();
    CHECK(one.text == (yes ? "short" : longer));
    CHECK(
        co_await size_of(yes ? pair_of{counted("")} : pair_of{counted(longer)}) ==
        of_default + (yes ? 0 : 100)
    );
}

asio::awaitable<void> loops()
{
    int asked = 0;
    int done = 0;
    const bool over = done == 0;
    while (!over && co_await more(asked, 5))
        ++done;
    CHECK(asked == 0);
    while (over && co_await more(asked, 5))
        ++done;
    CHECK(std::exchange(asked, 0) == 5);
    CHECK(std::exchange(done, 0) == 4);
    do
        ++done;
    while (co_await more(asked, 5));
    CHECK(std::exchange(asked, 0) == 5);
    CHECK(std::exchange(done, 0) == 5);
    for (int i = 0; co_await more(asked, 5); ++i)
        done += i;
    CHECK(std::exchange(asked, 0) == 5);
    CHECK(std::exchange(done, 0) == 0 + 1 + 2 + 3);
    for (;; co_await more(asked, 5))
    {
        if (++done == 4)
            break;
    }
    CHECK(asked == 3);
}

/// Runs it, and finds every temporary destroyed just once.
void run(asio::awaitable<void> work)
{
    asio::io_context context;
    const int before = alive;
    portitor::test::run(context, std::move(work));
    CHECK(alive == before);
}

}  // namespace

TEST_CASE("aggregates and other temporaries of an awaited call live until it is over, and no longer")
{
    run(temporaries());
}

TEST_CASE("a lambda that captures may be an argument of an awaited call")
{
    run(lambdas());
}

TEST_CASE("?: may be awaited, and in an argument of what is awaited")
{
    run(alternatives(true));
    run(alternatives(false));
}

TEST_CASE("conditions and steps of loops may await, behind && too")
{
    run(loops());
}
