#include "catch.hpp"
#include "stores.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <set>

/// What payment_store.hpp says, on every implementation.

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace asio = boost::asio;

namespace {

using state = payment_state;

const std::vector<state> open_states = {
    state::reserved, state::verified, state::settling, state::unknown, state::settled, state::delivering};

asio::awaitable<void> wait_for(
    payment_store& store,
    payment_record record,
    timekeeper::time_point deadline,
    std::vector<record_wait>& out
)
{
    const auto waited = co_await store.changed(record.key, record.revision, deadline);
    out.push_back(waited.value());
}

record_refusal refusal_of(const result<begin_outcome>& begun)
{
    return std::get<record_refusal>(begun.value());
}

}  // namespace

TEMPLATE_TEST_CASE(
    "a new payment is on record, reserved by who began it", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    CHECK(!mine.knows(1));
    const payment_record made = mine.made(1);
    CHECK(made.state == state::reserved);
    CHECK(made.owner != 0);
    CHECK(made.began == start_seconds);
    CHECK(made.valid_before == start_seconds + 300);
    CHECK(made.digest[31] == 0xab);
    CHECK(made.terms->offer == "demo/hello");
    CHECK(made.offered->nonce == hex_word(1));

    const auto again = mine.begin(offer_of(1));
    const auto* found = std::get_if<record_found>(&again.value());
    REQUIRE(found);
    CHECK(found->owner_alive);
    CHECK(found->record.revision == made.revision);
}

TEMPLATE_TEST_CASE(
    "the first of several keys that is known is found", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    mine.made(2);
    const auto none = portitor::test::run(world.context, mine.store().find({key_of(1), key_of(3)}));
    CHECK(std::holds_alternative<std::monostate>(none.value()));
    const auto second = portitor::test::run(world.context, mine.store().find({key_of(1), key_of(2)}));
    REQUIRE(std::holds_alternative<record_found>(second.value()));
    CHECK(std::get<record_found>(second.value()).record.key == key_of(2));
}

TEMPLATE_TEST_CASE(
    "a change is made where the revision is the record's, and grows it",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    for (const state each : open_states)
    {
        const auto number = static_cast<std::uint64_t>(each) + 10;
        const payment_record now = mine.reach(number, each);
        INFO(to_string(each));
        CHECK(now.state == each);
        CHECK(mine.found(number)->record.revision == now.revision);
        payment_record stale = now;
        stale.revision -= 1;
        CHECK(mine.loses(stale, ours(state::settling)));
        const auto lost = mine.advance(stale.key, stale.revision, known(state::settled));
        REQUIRE(std::holds_alternative<change_lost>(lost.value()));
        const auto& there = std::get<change_lost>(lost.value()).now;
        CHECK(std::get<record_found>(there).record.revision == now.revision);
        const payment_record next = mine.change(now, known(state::settled));
        CHECK(next.revision > now.revision);
        CHECK(next.owner == 0);
    }
    payment_record nowhere;
    nowhere.key = key_of(99);
    CHECK(mine.loses(nowhere, ours(state::settling)));
}

TEMPLATE_TEST_CASE(
    "members of a change that are empty stay as they are", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    payment_record now = mine.reach(1, state::unknown);
    CHECK(now.history.doubt);
    CHECK(now.history.told == std::vector{hex_word(0x55)});
    world.wall.time += std::chrono::seconds(7);
    payment_change settled = paid();
    settled.reorganised = true;
    now = mine.change(now, settled);
    CHECK(now.history.told == std::vector{hex_word(0x55)});
    CHECK(now.settled_at == start_seconds + 7);
    world.wall.time += std::chrono::seconds(1);
    now = mine.change(now, ours(state::delivering));
    CHECK_FALSE(now.interrupted);
    payment_change left = rest(state::settled);
    left.interrupted = true;
    now = mine.change(now, left);
    now = mine.change(now, ours(state::delivering));
    now = mine.change(now, rest(state::settled));
    CHECK(now.interrupted);
    CHECK(now.receipt == "receipt");
    CHECK(now.proof.transaction == hex_word(0x77));
    CHECK(now.proof.proven);
    CHECK(now.reorganised);
    CHECK(now.settled_at == start_seconds + 7);
    CHECK(now.terms);
}

TEMPLATE_TEST_CASE(
    "what is over is never changed, and its place is free", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    const state end = GENERATE(state::delivered, state::closed);
    const payment_record over = mine.reach(1, end);
    CHECK(over.state == end);
    CHECK(over.ended_at == start_seconds);
    CHECK(!over.terms);
    CHECK(!over.offered);
    REQUIRE(mine.spent(1));
    CHECK(mine.spent(1)->state == end);
    const auto again = mine.begin(offer_of(1));
    CHECK(std::holds_alternative<record_spent>(again.value()));
    CHECK(mine.loses(over, ours(state::settling)));
    CHECK(mine.loses(over, known(state::settled)));
    CHECK(mine.loses(over, forget()));
    payment_change taken_back = rest(end);
    taken_back.reorganised = true;
    CHECK(mine.change(over, taken_back).reorganised);
    CHECK(mine.spent(1)->state == end);
    CHECK(mine.store().numbers().spent == 1);
    CHECK(mine.store().numbers().open_percent == 0);
}

TEMPLATE_TEST_CASE(
    "an expired payment is on record, and changed by knowledge alone",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    const payment_record expired = mine.reach(1, state::expired);
    CHECK(expired.ended_at == start_seconds);
    CHECK(expired.owner == 0);
    CHECK(mine.loses(expired, ours(state::settling)));
    CHECK(mine.loses(expired, forget()));
    const payment_record settled = mine.change(expired, known(state::settled));
    CHECK(settled.ended_at == 0);
    CHECK(settled.terms);
    mine.change(mine.change(settled, ours(state::delivering)), known(state::delivered));
    CHECK(mine.spent(1)->state == state::delivered);
}

TEMPLATE_TEST_CASE("a forgotten payment never was", "[ledger][contract]", memory_world, sqlite_world)
{
    TestType world;
    hand mine = world.open();
    for (const state each : {state::reserved, state::verified, state::settling, state::unknown})
    {
        const payment_record now = mine.reach(1, each);
        mine.change(now, forget());
        CHECK(!mine.knows(1));
        const payment_record again = mine.made(1);
        CHECK(again.revision > now.revision);
        CHECK(mine.loses(now, ours(state::settling)));
        mine.change(again, forget());
    }
    CHECK(mine.store().numbers().spent == 0);
}

TEMPLATE_TEST_CASE(
    "a dead owner's payments are found as nobody's, told, and taken over",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand first = world.open();
    // Those that are durable: a reservation may be lost.
    for (const state each :
         {state::settling, state::unknown, state::settled, state::delivering, state::expired})
        first.reach(static_cast<std::uint64_t>(each), each);
    hand second = world.follow(first);
    std::set<state> told;
    const auto neglected = second.neglected(100);
    for (const payment_record& each : neglected.value())
        told.insert(each.state);
    CHECK(told == std::set{state::settling, state::unknown, state::delivering});

    for (const state each : {state::settling, state::unknown, state::settled, state::delivering})
    {
        INFO(to_string(each));
        const auto found = second.found(static_cast<std::uint64_t>(each));
        REQUIRE(found);
        CHECK(found->record.state == each);
        CHECK(!found->owner_alive);
        CHECK(found->record.terms->wanted.amount == 10'000);
        CHECK(found->record.terms->wanted.description == "a \"paid\" thing");
        CHECK(found->record.terms->wanted.asset == hex_address(7));
        CHECK(found->record.terms->wanted.max_timeout_seconds == 300);
        CHECK(found->record.terms->uri == "/services/hello?page=2");
        CHECK(found->record.terms->facilitator_url == "https://facilitator.test");
        CHECK(found->record.offered->valid_after == 3);
        CHECK(found->record.offered->nonce == hex_word(static_cast<std::uint64_t>(each)));
        CHECK(found->record.offered->signature.empty());
        CHECK(found->record.digest[31] == 0xab);
        if (each == state::unknown)
            CHECK(found->record.history.told == std::vector{hex_word(0x55)});
        if (each == state::settled || each == state::delivering)
            CHECK(found->record.receipt == "receipt");
        // Work needs an owner; an end does not.
        CHECK(second.loses(found->record, rest(state::delivering)));
        const payment_record taken = second.change(found->record, ours(state::settling));
        CHECK(taken.owner != found->record.owner);
        CHECK(second.found(static_cast<std::uint64_t>(each))->owner_alive);
    }
    CHECK(second.found(static_cast<std::uint64_t>(state::expired))->record.state == state::expired);
}

TEMPLATE_TEST_CASE(
    "an owner is told of work of its own whose time is over, and may let it go",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    for (const state each : {state::reserved, state::settling, state::delivering, state::settled})
        mine.reach(static_cast<std::uint64_t>(each), each);
    for (int i = 0; i < 45; ++i)
    {
        CHECK(mine.neglected(100).value().empty());
        world.wall.time += std::chrono::seconds(8);
        REQUIRE(mine.sweep().has_value());
    }
    world.wall.time += std::chrono::seconds(1);
    REQUIRE(mine.sweep().has_value());
    std::set<state> told;
    for (const payment_record& each : mine.neglected(100).value())
    {
        told.insert(each.state);
        CHECK(each.owner == mine.store().owner());
        if (each.state == state::reserved)
            mine.change(each, forget());
        else
            mine.change(each, rest(each.state == state::settling ? state::unknown : state::settled));
    }
    CHECK(told == std::set{state::reserved, state::settling, state::delivering});
    // They take no place any more.
    world.wall.time += std::chrono::seconds(31);
    REQUIRE(mine.sweep().has_value());
    CHECK(!mine.knows(static_cast<std::uint64_t>(state::reserved)));
    CHECK(mine.store().numbers().in_state[static_cast<std::size_t>(state::settled)] == 2);
    const auto left = mine.neglected(100).value();
    REQUIRE(left.size() == 1);
    CHECK(left.front().state == state::unknown);
}

TEMPLATE_TEST_CASE(
    "what an owner leaves is a dead owner's at once", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand first = world.open();
    const payment_record work = first.reach(1, state::settling);
    first.leave();
    CHECK(first.begin(offer_of(2)).error().code() == errc::canceled);
    CHECK(first.advance(work.key, work.revision, ours(state::unknown)).error().code() == errc::canceled);
    CHECK(first.sweep().error().code() == errc::canceled);
    CHECK(first.found(1));
    first.destroy();
    hand second = world.open();
    CHECK(!second.found(1)->owner_alive);
    CHECK(second.change(second.found(1)->record, rest(state::unknown)).state == state::unknown);
}

TEMPLATE_TEST_CASE(
    "neglected payments are told in turns, and then rest", "[ledger][contract]", memory_world, sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    for (std::uint64_t i = 0; i < 10; ++i)
        mine.reach(i, state::unknown);
    mine.reach(20, state::settling);
    mine.reach(21, state::settled);
    std::set<std::string> told;
    for (int round = 0; round < 3; ++round)
    {
        for (const payment_record& each : mine.neglected(4).value())
            CHECK(told.insert(each.key.text()).second);
    }
    CHECK(told.size() == 10);
    CHECK(mine.neglected(4).value().empty());
    world.wall.time += std::chrono::seconds(6);
    const auto again = mine.neglected(4);
    REQUIRE(again.value().size() == 4);
    CHECK(again.value().front().key == key_of(0));
}

TEMPLATE_TEST_CASE(
    "who waits is woken by the next revision, whoever makes it",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    std::vector<record_wait> waited;
    payment_record now = mine.made(1);
    const auto wait = [&](const payment_record& on, std::chrono::milliseconds limit) {
        asio::co_spawn(world.context, wait_for(mine.store(), on, world.in(limit), waited), asio::detached);
        world.context.restart();
        world.context.poll();
    };
    wait(now, std::chrono::seconds(60));
    wait(now, std::chrono::seconds(60));
    CHECK(waited.empty());
    const payment_record old = now;
    now = mine.change(now, ours(state::settling));
    world.context.restart();
    world.context.poll();
    CHECK(waited == std::vector{record_wait::changed, record_wait::changed});
    // It has changed already: nobody waits.
    wait(old, std::chrono::seconds(60));
    CHECK(waited.size() == 3);
    wait(now, std::chrono::seconds(60));
    mine.change(now, forget());
    world.context.restart();
    world.context.poll();
    CHECK(waited.size() == 4);
    CHECK(std::count(waited.begin(), waited.end(), record_wait::changed) == 4);
    wait(mine.made(2), std::chrono::milliseconds(0));
    CHECK(waited.back() == record_wait::expired);
}

TEMPLATE_TEST_CASE(
    "so many wait for one payment, and who is canceled leaves his place",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    ledger::limits bounds;
    bounds.max_waiters = 2;
    TestType world(bounds);
    hand mine = world.open();
    const payment_record now = mine.made(1);
    std::vector<record_wait> waited;
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(
        world.context,
        wait_for(mine.store(), now, world.in(std::chrono::seconds(60)), waited),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ended = true; })
    );
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(
            world.context,
            wait_for(mine.store(), now, world.in(std::chrono::seconds(60)), waited),
            asio::detached
        );
    world.context.restart();
    world.context.poll();
    CHECK(waited == std::vector{record_wait::too_many});
    stop.emit(asio::cancellation_type::terminal);
    world.context.restart();
    world.context.poll();
    CHECK(ended);
    asio::co_spawn(
        world.context, wait_for(mine.store(), now, world.in(std::chrono::seconds(60)), waited), asio::detached
    );
    world.context.restart();
    world.context.poll();
    CHECK(waited.size() == 1);
    mine.change(now, forget());
    world.context.restart();
    world.context.poll();
    CHECK(waited.size() == 3);
    // Destroyed with its executor: nothing is left that refers to it.
    asio::co_spawn(
        world.context,
        wait_for(mine.store(), mine.made(2), world.in(std::chrono::seconds(60)), waited),
        asio::detached
    );
    world.context.restart();
    world.context.poll();
}

TEMPLATE_TEST_CASE(
    "one payer, one offer and one namespace have their shares",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    ledger::limits bounds;
    bounds.max_open = 40;
    bounds.payer_part = 10;
    bounds.offer_part = 4;
    bounds.tenant_part = 2;
    bounds.least_of_payer = bounds.least_of_offer = bounds.least_of_tenant = 0;
    TestType world(bounds);
    hand mine = world.open();
    const auto begin = [&](std::uint64_t number, std::uint64_t payer, const std::string& offer) {
        return mine.begin(offer_of(number, start_seconds + 300, payer, offer));
    };
    std::uint64_t number = 0;
    std::vector<payment_record> made;
    const auto fill = [&](std::uint64_t payer, const std::string& offer, int count) {
        for (int i = 0; i < count; ++i)
            made.push_back(std::get<record_made>(begin(++number, payer, offer).value()).record);
    };
    fill(1, "a/one", 4);
    CHECK(refusal_of(begin(99, 1, "b/one")) == record_refusal::payer_full);
    // A part of what the others leave.
    fill(2, "a/one", 3);
    CHECK(refusal_of(begin(99, 2, "b/one")) == record_refusal::payer_full);
    fill(3, "a/one", 3);
    CHECK(refusal_of(begin(99, 4, "a/one")) == record_refusal::offer_full);
    fill(4, "a/two", 3);
    fill(5, "a/two", 2);
    fill(6, "a/two", 2);
    fill(7, "a/three", 2);
    fill(8, "a/three", 1);
    CHECK(refusal_of(begin(99, 9, "a/three")) == record_refusal::tenant_full);
    // So that two namespaces cannot fill it, and there is a place for each one that comes.
    for (std::uint64_t tenant = 10; tenant < 30; ++tenant)
        fill(tenant, "t" + std::to_string(tenant) + "/one", 1);
    CHECK(refusal_of(begin(99, 30, "e/one")) == record_refusal::full);
    CHECK(mine.store().numbers().open_percent == 100);
    // What ends gives its place back.
    mine.change(made.front(), forget());
    CHECK(std::holds_alternative<record_made>(begin(99, 31, "d/one").value()));
}

TEMPLATE_TEST_CASE(
    "what is spent is remembered for its validity and a minute, and refused for ever",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    mine.reach(1, state::delivered, start_seconds + 10);
    world.wall.time += std::chrono::seconds(10 + 59);
    REQUIRE(mine.sweep().has_value());
    CHECK(mine.spent(1));
    world.wall.time += std::chrono::seconds(200);
    REQUIRE(mine.sweep().has_value());
    CHECK(!mine.knows(1));
    CHECK(mine.store().numbers().spent == 0);
    CHECK(mine.store().numbers().low_water >= start_seconds + 10);
    // The clock may be set back: the mark stays.
    world.wall.time -= std::chrono::seconds(260);
    CHECK(refusal_of(mine.begin(offer_of(1, start_seconds + 10))) == record_refusal::too_old);
    CHECK(std::holds_alternative<record_made>(mine.begin(offer_of(2, start_seconds + 300)).value()));
}

TEMPLATE_TEST_CASE(
    "paid and never fetched, a payment takes no place of others once its time is over",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    ledger::limits bounds;
    bounds.max_open = 4;
    bounds.max_late = 2;
    bounds.least_of_payer = bounds.least_of_offer = bounds.least_of_tenant = 100;
    TestType world(bounds);
    hand mine = world.open();
    for (std::uint64_t i = 0; i < 4; ++i)
        mine.reach(i, state::settled, start_seconds + 10 + i);
    CHECK(refusal_of(mine.begin(offer_of(9))) == record_refusal::full);
    world.wall.time += std::chrono::seconds(100);
    REQUIRE(mine.sweep().has_value());
    mine.made(9, start_seconds + 400);
    // The oldest are gone, and cannot come again as new; the others still get their grant.
    CHECK(!mine.found(0));
    CHECK(!mine.found(1));
    const auto kept = mine.found(3);
    REQUIRE(kept);
    const payment_record delivering = mine.change(kept->record, ours(state::delivering));
    mine.change(delivering, known(state::delivered));
    CHECK(!std::holds_alternative<record_made>(mine.begin(offer_of(0, start_seconds + 10)).value()));
}

TEMPLATE_TEST_CASE(
    "a reservation of a dead owner goes with its time, one that lives stays",
    "[ledger][contract]",
    memory_world,
    sqlite_world
)
{
    TestType world;
    hand mine = world.open();
    mine.made(1, start_seconds + 10);
    world.wall.time += std::chrono::seconds(200);
    REQUIRE(mine.sweep().has_value());
    CHECK(mine.found(1));
    CHECK(mine.store().numbers().in_state[static_cast<std::size_t>(state::reserved)] == 1);
}
