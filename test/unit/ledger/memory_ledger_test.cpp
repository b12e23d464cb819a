#include "catch.hpp"
#include "ledger_world.hpp"

#include <portitor/ledger/memory_ledger.hpp>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace {

struct memory_world
{
    explicit memory_world(ledger::limits bounds = {}) : store(wall, time, bounds) {}

    hand open() { return hand(context, store.open()); }

    boost::asio::io_context context;
    manual_clock wall;
    steady_timekeeper time;
    ledger::memory_ledger store;
};

}  // namespace

TEST_CASE("a thousand new payments a second find a place, for an hour and in 150 MB", "[ledger][memory]")
{
    memory_world world;
    hand mine = world.open();
    std::size_t most = 0;
    // What is forgotten is as much as what is new once the validity and two minutes are over. The hour takes
    // some seconds of CPU, and minutes with sanitizers.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    constexpr std::uint64_t end = 240;
    constexpr std::uint64_t validity = 60;
#else
    constexpr std::uint64_t end = 3'600;
    constexpr std::uint64_t validity = 300;
#endif
    for (std::uint64_t second = 0; second < end; ++second)
    {
        world.wall.time += std::chrono::seconds(1);
        const std::uint64_t now = start_seconds + second;
        auto work = [&]() -> boost::asio::awaitable<bool> {
            for (std::uint64_t i = 0; i < 1'000; ++i)
            {
                const std::uint64_t number = second * 1'000 + i;
                static const auto terms = terms_of();
                static const auto offered = offered_of(1, 1);
                x402::new_payment what;
                what.key = key_of(number, number % 5'000);
                what.valid_before = now + validity;
                what.terms = terms;
                what.offered = offered;
                auto begun = co_await mine.store().begin(std::move(what));
                if (!begun || !std::holds_alternative<record_made>(*begun))
                    co_return false;
                const payment_record record = std::get<record_made>(*begun).record;
                auto over = co_await mine.store().advance(
                    record.key, record.revision, known(payment_state::delivered)
                );
                if (!over || !std::holds_alternative<change_made>(*over))
                    co_return false;
            }
            auto swept = co_await mine.store().sweep();
            co_return swept.has_value();
        };
        REQUIRE(portitor::test::run<bool>(world.context, work()));
        most = std::max(most, world.store.bytes());
    }
    // A minute longer than they are valid, and up to another until a whole set may be forgotten.
    const std::uint64_t kept = 1'000 * (validity + 60);
    CHECK(most < (kept + 65'000) * 47);
    CHECK(mine.store().numbers().spent > kept * 5 / 6);
    CHECK(mine.store().numbers().spent < kept + 65'000);
}
