#include "catch.hpp"
#include "stores.hpp"

#include <portitor/ledger/late_ledger.hpp>

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

TEST_CASE("a store that cannot be opened at first is away until it can", "[ledger][late]")
{
    memory_world world;
    bool is_there = false;
    int asked = 0;
    const auto open = [&]() -> result<std::unique_ptr<payment_store>> {
        ++asked;
        if (!is_there)
            return fail(errc::unavailable, "the disk is full");
        return world.store.open();
    };
    hand mine(
        world.context,
        std::make_unique<ledger::late_ledger>(
            open,
            error(fail(errc::unavailable, "it was full before")),
            world.time,
            logger(log_level::error, log_format::text)
        )
    );
    CHECK(mine.store().away() == "it was full before");
    CHECK(mine.store().owner() != 0);
    CHECK(mine.begin(offer_of(1)).error().code() == errc::unavailable);
    CHECK(mine.find(key_of(1)).error().code() == errc::unavailable);
    CHECK(mine.neglected(10).error().code() == errc::unavailable);
    // Not tried at once, and not all the time.
    CHECK(mine.sweep().error().code() == errc::unavailable);
    CHECK(asked == 0);
    world.time.ahead += std::chrono::seconds(1);
    CHECK(mine.sweep().error().code() == errc::unavailable);
    CHECK(mine.sweep().error().code() == errc::unavailable);
    CHECK(asked == 1);
    CHECK(mine.store().away() == "the disk is full");
    is_there = true;
    world.time.ahead += std::chrono::seconds(2);
    CHECK(mine.sweep().has_value());
    CHECK(mine.store().away() == std::nullopt);
    CHECK(mine.made(1).owner == mine.store().owner());
    CHECK(asked == 2);
}
