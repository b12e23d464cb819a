#include "engine_world.hpp"

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

using fault = faulty_store::fault;

struct faulty : fixture
{
    explicit faulty(std::deque<fault> faults)
    {
        record().faults = std::move(faults);
        facilitator.verifies = {verify_valid(), verify_valid()};
        facilitator.settles = {success(), success()};
    }

    // Another process that works on the same record.
    std::unique_ptr<payment_store> other() { return book->open(); }

    void change_by(payment_store& who, payment_change change)
    {
        const payment_record now = known();
        const auto done = portitor::test::run(context, who.advance(now.key, now.revision, std::move(change)));
        REQUIRE(done.has_value());
        REQUIRE(std::holds_alternative<change_made>(*done));
    }
};

}  // namespace

TEST_CASE("without the record nothing is charged", "[x402][engine][store]")
{
    const auto none = fault::none;
    for (const auto way : {fault::away, fault::fenced})
    {
        INFO(static_cast<int>(way));
        faulty at_begin({way});
        CHECK(expect_unavailable(at_begin.pay()) == unavailable_cause::store);
        CHECK(at_begin.facilitator.verified == 0);
        CHECK(at_begin.engine().counters().store_away == 1);
        expect<verdict_paid>(at_begin.pay());

        faulty at_settle({none, way});
        CHECK(expect_unavailable(at_settle.pay()) == unavailable_cause::store);
        CHECK(at_settle.facilitator.settled == 0);
        // What was reserved for it is let go of.
        at_settle.pass(milliseconds(1'000));
        CHECK(at_settle.state() == std::nullopt);
        expect<verdict_paid>(at_settle.pay());
        CHECK(at_settle.facilitator.settled == 1);
    }
}

TEST_CASE("what is known to be settled outlasts the record's absence", "[x402][engine][store]")
{
    for (const auto way : {fault::away, fault::fenced})
    {
        faulty f({fault::none, fault::none, way});
        // Its buyer must not be told that nothing was charged.
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.state() == payment_state::settled);
        CHECK(f.known().proof.transaction == "0xe16d");
        f.record().faults = {fault::none, way};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(expect<verdict_paid>(f.pay()).again);
        CHECK(f.facilitator.settled == 1);
    }
}

TEST_CASE("a known payment is not judged without the record", "[x402][engine][store]")
{
    faulty f({});
    f.record().away_for_all = true;
    f.mismatch = refusal{"invalid_payment_requirements", "the price has changed"};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::store);
}

TEST_CASE("a write whose answer is lost is read back before anything follows", "[x402][engine][store]")
{
    for (std::size_t at = 0; at < 4; ++at)
        for (const auto way : {fault::answer_lost, fault::lost})
        {
            INFO("write " << at << ", " << static_cast<int>(way));
            faulty f(std::deque<fault>(at, fault::none));
            f.record().faults.push_back(way);
            verdict made = f.pay();
            expect<verdict_paid>(made);
            f.deliver(made);
            CHECK(f.state() == payment_state::delivered);
            CHECK(f.facilitator.verified == 1);
            CHECK(f.facilitator.settled == 1);
            CHECK(f.record().calls.size() == (way == fault::lost ? 7 : 6));
        }
}

TEST_CASE("answers that are lost for good grant nothing", "[x402][engine][store]")
{
    for (std::size_t at = 0; at < 3; ++at)
    {
        faulty f(std::deque<fault>(at, fault::none));
        f.record().faults.insert(f.record().faults.end(), 3, fault::lost);
        const auto charged = at == 2;
        CHECK(
            expect_unavailable(f.pay()) ==
            (charged ? unavailable_cause::settlement_unknown : unavailable_cause::store)
        );
        CHECK(f.facilitator.settled == (charged ? 1 : 0));
        f.pass(milliseconds(1'000));
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 1);
    }
}

TEST_CASE(
    "whoever loses a compare-and-set follows what is there, and grants nothing", "[x402][engine][store]"
)
{
    SECTION("before the settlement: the other one settles")
    {
        faulty f({});
        f.facilitator.hold();
        request& one = f.start();
        const auto other = f.other();
        // We were taken for dead, and forgotten.
        f.record().before_change = [&f, &other] {
            f.time.time += std::chrono::seconds(12);
            const payment_record now = f.known();
            payment_change gone(now.state);
            gone.forget = true;
            gone.knowledge = true;
            (void)portitor::test::run(f.context, other->advance(now.key, now.revision, std::move(gone)));
        };
        f.facilitator.go();
        f.poll();
        // It begins again.
        expect<verdict_paid>(f.await(one));
        CHECK(f.facilitator.verified == 2);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.engine().counters().lost_races == 1);
    }
    SECTION("after it: what is known is written all the same")
    {
        faulty f({});
        f.facilitator.hold_settlements();
        request& one = f.start();
        CHECK(f.state() == payment_state::settling);
        const auto other = f.other();
        f.time.time += std::chrono::seconds(12);
        payment_change taken(payment_state::unknown);
        taken.own = true;
        f.change_by(*other, taken);
        f.facilitator.go();
        f.poll();
        REQUIRE(one.done);
        // This process is fenced, so that it grants nothing; but it is settled.
        CHECK(expect_unavailable(*one.made) == unavailable_cause::settlement_unknown);
        CHECK(f.state() == payment_state::settled);
    }
}

TEST_CASE("a dead owner's payment goes on where it was", "[x402][engine][store]")
{
    faulty f({});
    f.with_chain = true;
    f.chain.findings = {finding(settlement_state::open)};
    std::list<std::unique_ptr<faulty_store>> stores;
    std::list<std::unique_ptr<payment_engine>> engines;
    const auto dies = [&] {
        portitor::test::run(f.context, f.store->leave());
        stores.push_back(std::move(f.store));
        engines.push_back(std::move(f.made_engine));
    };
    SECTION("reserved: as if it had never come")
    {
        f.facilitator.hold();
        f.start();
        dies();
        f.facilitator.verifies = {verify_valid(), verify_invalid("insufficient_funds")};
        request& copy = f.start();
        f.facilitator.go();
        expect<verdict_payment_required>(f.await(copy));
        CHECK(f.facilitator.settled == 0);
    }
    SECTION("settling: in doubt")
    {
        f.facilitator.hold_settlements();
        f.start();
        dies();
        request& copy = f.start();
        // Only the first and only settle could be refused.
        f.facilitator.settles = {settle_refused("insufficient_funds"), settle_refused("insufficient_funds")};
        f.facilitator.go();
        CHECK(expect_unavailable(f.await(copy)) == unavailable_cause::settlement_unknown);
        CHECK(f.state() == payment_state::unknown);
    }
    SECTION("delivering: its buyer may get it twice, but never not")
    {
        verdict made = f.pay();
        expect<verdict_paid>(made);
        dies();
        verdict second = f.pay();
        CHECK(expect<verdict_paid>(second).again);
        CHECK(f.known().interrupted);
        CHECK(f.told == std::vector<std::string>{"interrupted demo/hello"});
        f.deliver(second);
        CHECK(f.state() == payment_state::delivered);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.engine().counters().interrupted == 1);
    }
    SECTION("delivering, and its buyer never comes back: the log tells of the sale")
    {
        verdict made = f.pay();
        expect<verdict_paid>(made);
        dies();
        f.keep(15);
        CHECK(f.state() == payment_state::settled);
        CHECK(f.told == std::vector<std::string>{"interrupted demo/hello"});
        CHECK(f.told_last_of->state == payment_state::settled);
        CHECK(f.known().interrupted);
        CHECK(f.engine().counters().interrupted == 1);
        verdict again = f.pay();
        f.deliver(again);
        CHECK(f.engine().counters().interrupted == 1);
    }
    SECTION("settled, its buyer gone: that is no interruption")
    {
        verdict made = f.pay();
        f.lose(made);
        dies();
        f.keep(15);
        CHECK_FALSE(f.known().interrupted);
    }
}

TEST_CASE(
    "an answer that was never written, as its record came too late, is no interruption",
    "[x402][engine][store]"
)
{
    const bool given_again = GENERATE(false, true);
    faulty f({});
    const auto lose = [&f](std::size_t before, std::size_t writes) {
        f.record().faults.assign(before, fault::none);
        f.record().faults.insert(f.record().faults.end(), writes, fault::lost);
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    };
    if (given_again)
    {
        verdict made = f.pay();
        f.lose(made);
        lose(1, 3);
    }
    else
    {
        // That it is settled cannot be written either.
        lose(2, 6);
    }
    // The disk takes it after all.
    payment_change late(payment_state::delivering);
    late.own = true;
    f.change_by(f.record(), late);
    REQUIRE(f.state() == payment_state::delivering);
    f.told.clear();
    SECTION("and its buyer comes back")
    {
        verdict again = f.pay();
        CHECK(expect<verdict_paid>(again).again);
        CHECK_FALSE(f.known().interrupted);
        CHECK(f.told.empty());
        CHECK(f.facilitator.settled == 1);
        f.deliver(again);
        CHECK(f.state() == payment_state::delivered);
    }
    SECTION("and he never does: the log tells of the sale")
    {
        const auto validity = f.known().valid_before - unix_seconds(f.time.now());
        f.keep(static_cast<int>(validity) + 90);
        CHECK(f.state() == payment_state::settled);
        CHECK_FALSE(f.known().interrupted);
        CHECK(f.told == std::vector<std::string>{"undelivered demo/hello"});
    }
    CHECK(f.engine().counters().interrupted == 0);
}

TEST_CASE("while one process writes an answer a copy at another one waits", "[x402][engine][store]")
{
    faulty f({});
    verdict made = f.pay();
    expect<verdict_paid>(made);
    const auto store = f.other();
    payment_engine second({f.context.get_executor(), f.facilitator, *store, f.time, f.timers});
    request& copy = f.start(second.pay(f.asked()));
    CHECK_FALSE(copy.done);
    f.lose(made);
    REQUIRE(copy.done);
    CHECK(expect<verdict_paid>(*copy.made).again);
    CHECK(f.facilitator.settled == 1);
    copy.made.reset();
    f.poll();
}

TEST_CASE("an answer is not given again until its delivery is on record", "[x402][engine][store]")
{
    faulty f({});
    verdict made = f.pay();
    request& copy = f.start();
    f.record().faults.assign(3, fault::away);
    f.deliver(made);
    CHECK(f.state() == payment_state::delivering);
    CHECK_FALSE(copy.done);
    for (int i = 0; i < 8; ++i)
        f.pass(milliseconds(1'000));
    REQUIRE(copy.done);
    CHECK(expect<verdict_already_used>(*copy.made).cause == used_cause::sold);
    CHECK(f.state() == payment_state::delivered);
}

TEST_CASE("the owner's work ends where it is taken for dead", "[x402][engine][store]")
{
    faulty f({});
    bool ended = false;
    asio::co_spawn(f.context, f.engine().run(), [&ended](const std::exception_ptr&) { ended = true; });
    f.poll();
    f.pass(milliseconds(1'000));
    CHECK_FALSE(ended);
    portitor::test::run(f.context, f.store->leave());
    f.pass(milliseconds(1'000));
    CHECK(ended);
}
