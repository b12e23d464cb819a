#include "engine_world.hpp"

#include <algorithm>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

TEST_CASE("a good payment is verified, settled and granted once", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict made = f.pay();
    const auto& paid = expect<verdict_paid>(made);
    CHECK(paid.payer == f.offered.payer);
    CHECK(paid.key == f.key());
    CHECK_FALSE(paid.again);
    CHECK(json::parse(decode_base64(paid.receipt).value()).at("transaction") == "0xe16d");
    CHECK(f.facilitator.timeouts[0] <= milliseconds(5'000));
    // Nobody hangs up on a settlement that is under way, however long its buyer may wait.
    CHECK(f.facilitator.timeouts[1] == milliseconds(120'000));
    CHECK(f.facilitator.callers[0].offer == "demo/hello");
    CHECK(f.facilitator.callers[0].tenant == "demo");
    CHECK(f.facilitator.callers[0].payer == f.offered.payer);
    CHECK(f.state() == payment_state::delivering);

    f.deliver(made);
    CHECK(f.state() == payment_state::delivered);
    CHECK(f.told == std::vector<std::string>{"delivered demo/hello"});
    CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::sold);
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine().counters().paid == 1);
    CHECK(f.engine().counters().already_used == 1);
}

TEST_CASE("an answer that was not delivered is given again, without a second settlement", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict first = f.pay();
    f.lose(first);
    CHECK(f.state() == payment_state::settled);
    // The window is over, but the money was paid in it.
    f.time.time += std::chrono::hours(1);
    verdict second = f.pay();
    CHECK(expect<verdict_paid>(second).again);
    CHECK(expect<verdict_paid>(second).receipt == expect<verdict_paid>(first).receipt);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine().counters().paid_again == 1);
    f.deliver(second);
    expect<verdict_already_used>(f.pay());
    CHECK(f.told == std::vector<std::string>{"undelivered demo/hello", "delivered demo/hello"});
}

TEST_CASE("the same payment buys nothing at another URI", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict first = f.pay();
    f.binding.uri = "/services/hello?page=2";
    CHECK(expect<verdict_already_used>(f.pay()).receipt == expect<verdict_paid>(first).receipt);
    f.lose(first);
    expect<verdict_already_used>(f.pay());
    f.binding = {"uid-2", "GET", "/services/hello"};
    expect<verdict_already_used>(f.pay());
    f.binding = {"uid-1", "POST", "/services/hello"};
    expect<verdict_already_used>(f.pay());
    f.binding.method = "GET";
    f.binding.uri = "/services/hello";
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("of a long URI all binds the payment, and its beginning is kept", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const std::string uri = "/services/hello?q=" + std::string(50'000, 'x');
    f.binding.uri = uri;
    verdict made = f.pay();
    f.lose(made);
    CHECK(f.known().terms->uri == uri.substr(0, 1'024));
    f.binding.uri = uri + "x";
    expect<verdict_already_used>(f.pay());
    f.binding.uri = uri;
    expect<verdict_paid>(f.pay());
}

TEST_CASE("a payment out of its time is refused without asking anyone", "[x402][engine]")
{
    fixture f;
    f.time.time += std::chrono::minutes(5);
    CHECK(
        expect<verdict_payment_required>(f.pay()).reason ==
        "invalid_exact_evm_payload_authorization_valid_before"
    );
    CHECK(f.facilitator.verified == 0);
    CHECK(f.state() == std::nullopt);
    CHECK(f.record().calls == std::vector<std::string>{"find", "find"});
}

TEST_CASE("a refused verification frees the payment and asks for payment", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_invalid("insufficient_funds"), verify_valid()};
    f.facilitator.settles = {success()};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.state() == std::nullopt);
    CHECK(f.facilitator.settled == 0);
    // Funds have come.
    expect<verdict_paid>(f.pay());
}

TEST_CASE("a payment that was settled elsewhere is used, never asked for again", "[x402][engine]")
{
    for (const char* reason :
         {"invalid_exact_evm_nonce_already_used", "duplicate_settlement", "permit2_invalid_nonce"})
    {
        INFO(reason);
        fixture at_verify;
        at_verify.facilitator.verifies = {verify_invalid(reason)};
        CHECK(expect<verdict_already_used>(at_verify.pay()).receipt.empty());

        fixture at_settle;
        at_settle.facilitator.verifies = {verify_valid()};
        at_settle.facilitator.settles = {settle_refused(reason)};
        CHECK(expect<verdict_already_used>(at_settle.pay()).cause == used_cause::elsewhere);
        expect<verdict_already_used>(at_settle.pay());
        CHECK(at_settle.facilitator.verified == 1);
    }
}

TEST_CASE("a facilitator that cannot verify settles nothing", "[x402][engine]")
{
    const std::pair<errc, unavailable_cause> failures[] = {
        {errc::timed_out, unavailable_cause::facilitator},
        {errc::unavailable, unavailable_cause::facilitator},
        {errc::invalid, unavailable_cause::facilitator},
        {errc::protocol, unavailable_cause::facilitator_broken},
    };
    for (const auto& [code, cause] : failures)
    {
        fixture f;
        f.facilitator.verifies = {verify_unavailable(down(code)), verify_valid()};
        f.facilitator.settles = {success()};
        CHECK(expect_unavailable(f.pay()) == cause);
        CHECK(f.state() == std::nullopt);
        CHECK(f.facilitator.settled == 0);
        expect<verdict_paid>(f.pay());
        CHECK(f.engine().counters().facilitator_unavailable == 1);
    }
}

TEST_CASE("a settlement that was never sent frees the payment", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_not_sent(down(errc::unavailable))};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::facilitator);
    CHECK(f.state() == std::nullopt);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a refused settlement frees the payment and asks for payment", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_refused("insufficient_funds")};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.state() == std::nullopt);
}

TEST_CASE("an unknown settlement is tried once more with the same payload", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), success()};
    expect<verdict_paid>(f.pay());
    REQUIRE(f.facilitator.payloads.size() == 2);
    CHECK(f.facilitator.payloads[0] == f.facilitator.payloads[1]);
    CHECK(f.engine().counters().settle_retries == 1);
    CHECK(f.engine().counters().paid == 1);
}

TEST_CASE("after an unknown settlement nobody is asked to pay again", "[x402][engine]")
{
    const settle_outcome seconds[] = {
        settle_unknown(down()),
        settle_not_sent(down(errc::unavailable)),
        // The first settlement may have taken the very funds that are missing now.
        settle_refused("insufficient_funds"),
        // It began, and does not say how that ended.
        settle_refused("duplicate_settlement"),
    };
    for (const settle_outcome& second : seconds)
    {
        INFO(second.index());
        fixture f;
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), second};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 2);
        CHECK(f.state() == payment_state::unknown);
        CHECK(f.engine().counters().settlement_unknown == 1);
    }
}

TEST_CASE("after doubt a used nonce is the grant: the settlement was ours", "[x402][engine]")
{
    for (const char* reason : {"invalid_exact_evm_nonce_already_used", "permit2_invalid_nonce"})
    {
        fixture f;
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), settle_refused(reason)};
        verdict made = f.pay();
        const auto& paid = expect<verdict_paid>(made);
        CHECK_FALSE(f.known().proof.proven);
        CHECK(
            json::parse(decode_base64(paid.receipt).value()) ==
            json::parse(R"({"success":true,"transaction":"","network":"eip155:84532",
                "payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"})")
        );
        CHECK(f.engine().counters().unproven == 1);
        f.deliver(made);
        expect<verdict_already_used>(f.pay());
        CHECK(f.facilitator.settled == 2);
    }

    // The transaction that was under way is the one.
    fixture f;
    settle_unknown pending(down());
    pending.transaction = "0xf2";
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {pending, settle_refused("invalid_exact_evm_nonce_already_used")};
    const verdict made = f.pay();
    CHECK(json::parse(decode_base64(expect<verdict_paid>(made).receipt).value()).at("transaction") == "0xf2");
}

TEST_CASE(
    "after our own transaction failed a used nonce buys nothing, and is not asked for again", "[x402][engine]"
)
{
    settle_unknown failed(down(errc::refused));
    failed.transaction = "0xf1";
    failed.failed = true;
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {failed, settle_refused("invalid_exact_evm_nonce_already_used")};
    CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::failed);
    expect<verdict_already_used>(f.pay());
    CHECK(f.facilitator.settled == 2);

    // It may still be settled by a later one.
    fixture again;
    again.facilitator.verifies = {verify_valid()};
    again.facilitator.settles = {failed, success()};
    expect<verdict_paid>(again.pay());
}

TEST_CASE("a later copy resolves an unknown settlement", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    expect_unavailable(f.pay());

    SECTION("as settled")
    {
        f.facilitator.settles = {success()};
        verdict made = f.pay();
        expect<verdict_paid>(made);
        f.deliver(made);
        expect<verdict_already_used>(f.pay());
    }
    SECTION("as settled, after the window")
    {
        f.time.time += std::chrono::hours(1);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
    }
    SECTION("as settled, by its used nonce")
    {
        f.facilitator.settles = {
            settle_refused("duplicate_settlement"), settle_refused("invalid_exact_evm_nonce_already_used")};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 4);
        CHECK(f.engine().counters().unproven == 1);
    }
    SECTION("not yet")
    {
        f.facilitator.settles = {
            settle_unknown(down()), settle_not_sent(down()), settle_refused("insufficient_funds")};
        for (int i = 0; i < 3; ++i)
            CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 5);
        CHECK(f.engine().counters().resolutions == 3);
    }
    SECTION("as over, once the payment has expired")
    {
        f.time.time += std::chrono::hours(1);
        const settle_refused expired("invalid_exact_evm_payload_authorization_valid_before");
        f.facilitator.settles = {expired};
        for (int i = 0; i < 2; ++i)
            CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::expired);
        CHECK(f.state() == payment_state::expired);
        CHECK(f.facilitator.settled == 3);
        CHECK(f.told == std::vector<std::string>{"expired demo/hello"});
    }
    SECTION("only for the same purchase")
    {
        f.binding.method = "POST";
        CHECK(expect<verdict_already_used>(f.pay()).receipt.empty());
        CHECK(f.facilitator.settled == 2);
    }
    CHECK(f.facilitator.verified == 1);
}

TEST_CASE("copies wait for the outcome, and one of them gets the grant", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& first = f.start();
    request& second = f.start();
    request& third = f.start();
    CHECK(f.facilitator.verified == 1);
    f.facilitator.go();
    f.poll();
    REQUIRE(first.done);
    expect<verdict_paid>(*first.made);
    // The answer is being written: copies wait for that.
    CHECK_FALSE(second.done);
    CHECK_FALSE(third.done);

    SECTION("delivered")
    {
        f.deliver(*first.made);
        REQUIRE(second.done);
        REQUIRE(third.done);
        expect<verdict_already_used>(*second.made);
        expect<verdict_already_used>(*third.made);
    }
    SECTION("undelivered")
    {
        f.lose(*first.made);
        REQUIRE(second.done != third.done);
        request& granted = second.done ? second : third;
        request& waiting = second.done ? third : second;
        CHECK(expect<verdict_paid>(*granted.made).again);
        f.deliver(*granted.made);
        REQUIRE(waiting.done);
        expect<verdict_already_used>(*waiting.made);
    }
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a copy takes over when the first is refused", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_unavailable(down()), verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& first = f.start();
    request& second = f.start();
    f.facilitator.go();
    f.poll();
    REQUIRE(first.done);
    expect_unavailable(*first.made);
    REQUIRE(second.done);
    expect<verdict_paid>(*second.made);
}

TEST_CASE("a copy that waits too long is told to come again", "[x402][engine]")
{
    fixture f;
    f.facilitator.hold();
    f.start();
    f.deadline = milliseconds(5'000);
    request& copy = f.start();
    f.pass(milliseconds(4'999));
    CHECK_FALSE(copy.done);
    f.pass(milliseconds(1));
    CHECK(expect_unavailable(f.await(copy)) == unavailable_cause::busy);
    CHECK(f.engine().counters().busy == 1);
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.go();
    f.poll();
    expect<verdict_paid>(*f.requests.front().made);
}

TEST_CASE("no settlement begins without the time for it", "[x402][engine]")
{
    fixture f;
    f.deadline = milliseconds(500);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
    CHECK(f.state() == std::nullopt);

    SECTION("after a slow verification")
    {
        f.deadline = milliseconds(2'000);
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.hold();
        request& one = f.start();
        f.pass(milliseconds(1'001));
        f.facilitator.go();
        f.poll();
        REQUIRE(one.done);
        CHECK(expect_unavailable(*one.made) == unavailable_cause::facilitator);
        CHECK(f.facilitator.settled == 0);
        CHECK(f.state() == std::nullopt);
    }
    SECTION("nor is it resolved")
    {
        f.deadline = milliseconds(20'000);
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
        expect_unavailable(f.pay());
        f.deadline = milliseconds(500);
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 2);
        f.deadline = milliseconds(20'000);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
    }
}

namespace {

// A payment whose settlement is under way when its buyer is told to come again.
struct left_alone : fixture
{
    left_alone()
    {
        facilitator.verifies = {verify_valid()};
        facilitator.hold_settlements();
        request& first = start();
        pass(milliseconds(20'000));
        CHECK(expect_unavailable(await(first)) == unavailable_cause::settlement_unknown);
        CHECK(facilitator.settled == 1);
        CHECK(state() == payment_state::settling);
    }

    void answer(std::deque<settle_outcome> outcomes)
    {
        facilitator.settles = std::move(outcomes);
        facilitator.go();
        poll();
    }
};

}  // namespace

TEST_CASE("a slow settlement is waited for though its buyer was told to come again", "[x402][engine]")
{
    left_alone f;

    SECTION("and is the grant of the next copy when it was a success")
    {
        f.answer({success()});
        CHECK(f.state() == payment_state::settled);
        CHECK(f.engine().counters().settled_late == 1);
        CHECK(f.told == std::vector<std::string>{"undelivered demo/hello"});
        CHECK(f.told_last_of->state == payment_state::settled);
        CHECK(f.told_last_of->proof.transaction == f.known().proof.transaction);
        CHECK_FALSE(f.told_last_of->proof.transaction.empty());
        CHECK(expect<verdict_paid>(f.pay()).again);
        CHECK(f.facilitator.settled == 1);
    }
    SECTION("also of one that waits for it")
    {
        request& copy = f.start();
        CHECK_FALSE(copy.done);
        f.answer({success()});
        REQUIRE(copy.done);
        CHECK(expect<verdict_paid>(*copy.made).again);
    }
    SECTION("and is left in doubt, not sent again, when its outcome is")
    {
        f.answer({settle_unknown(down())});
        CHECK(f.facilitator.settled == 1);
        CHECK(f.state() == payment_state::unknown);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 2);
    }
    SECTION("and the payment is free again when it was refused")
    {
        f.answer({settle_refused("insufficient_funds")});
        CHECK(f.state() == std::nullopt);
    }
    SECTION("and a copy that cannot wait for it is told so")
    {
        f.deadline = milliseconds(5'000);
        request& copy = f.start();
        f.pass(milliseconds(5'000));
        CHECK(expect_unavailable(f.await(copy)) == unavailable_cause::settlement_unknown);
        f.answer({success()});
    }
}

TEST_CASE(
    "the end of the process waits for settlements in the background, as long as it may", "[x402][engine]"
)
{
    left_alone f;
    bool ended = false;
    const auto finish = [&] {
        asio::co_spawn(
            f.context,
            f.engine().finish(f.timers.now() + milliseconds(10'000)),
            [&ended](const std::exception_ptr&) { ended = true; }
        );
        f.poll();
    };

    SECTION("until they end")
    {
        finish();
        CHECK_FALSE(ended);
        f.answer({success()});
        CHECK(ended);
        CHECK(f.state() == payment_state::settled);
    }
    SECTION("and no longer: whoever comes next resolves it")
    {
        finish();
        f.pass(milliseconds(9'999));
        CHECK_FALSE(ended);
        f.pass(milliseconds(1));
        CHECK(ended);
        CHECK(f.told == std::vector<std::string>{"left demo/hello"});
        CHECK(f.facilitator.settled == 1);
        f.facilitator.go();
        f.made_engine.reset();
        f.store = std::make_unique<faulty_store>(f.book->open());
        CHECK(f.state() == payment_state::settling);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 2);
    }
    SECTION("but for one that is destroyed with all it works with")
    {
        CHECK(f.state() == payment_state::settling);
    }
}

TEST_CASE("a known payment is followed whatever the terms are by now", "[x402][engine]")
{
    const refusal no_longer{"invalid_payment_requirements", "the price has changed"};
    fixture f;
    f.mismatch = no_longer;
    CHECK(expect<verdict_payment_required>(f.pay()).message == "the price has changed");
    // It is not put on record.
    CHECK(f.record().calls == std::vector<std::string>{"find"});
    f.mismatch.reset();
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    expect_unavailable(f.pay());
    f.mismatch = no_longer;
    const payment_requirement before = f.wanted;

    SECTION("a settlement in doubt is repeated as it was begun")
    {
        f.facilitator.settles = {success()};
        f.wanted.amount = 20000;
        verdict made = f.pay();
        expect<verdict_paid>(made);
        CHECK(f.facilitator.urls == std::vector<std::string>(3, "https://f.test"));
        CHECK(f.facilitator.amounts == std::vector<u256>(3, 10000));
        // An answer that is lost is given again, one that was delivered is not.
        f.lose(made);
        verdict again = f.pay();
        CHECK(expect<verdict_paid>(again).again);
        f.deliver(again);
        expect<verdict_already_used>(f.pay());
        CHECK(f.facilitator.verified == 1);
    }
    SECTION("for the same purchase only")
    {
        for (const payment_binding& other :
             {payment_binding{"uid-2", "GET", "/services/hello"},
              payment_binding{"uid-1", "POST", "/services/hello"},
              payment_binding{"uid-1", "GET", "/services/other"}})
        {
            f.binding = other;
            CHECK(expect<verdict_already_used>(f.pay()).receipt.empty());
        }
        CHECK(f.facilitator.settled == 2);
    }
    SECTION("and not for who knows only what the chain shows of it")
    {
        f.offered.signature.back() ^= 1;
        expect<verdict_already_used>(f.pay());
        CHECK(f.facilitator.settled == 2);
    }
    SECTION("another nonce is another payment")
    {
        f.offered.nonce.back() = '1';
        expect<verdict_payment_required>(f.pay());
        CHECK(f.engine().numbers().in_state[static_cast<std::size_t>(payment_state::unknown)] == 1);
    }
}

TEST_CASE("a payment that was refused while a copy waited is judged by the terms of today", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_invalid("insufficient_funds")};
    f.facilitator.hold();
    f.start();
    f.mismatch = refusal{"invalid_payment_requirements", "the price has changed"};
    request& copy = f.start();
    CHECK_FALSE(copy.done);
    f.facilitator.go();
    f.poll();
    REQUIRE(copy.done);
    CHECK(expect<verdict_payment_required>(*copy.made).reason == "invalid_payment_requirements");
    CHECK(f.facilitator.verified == 1);
}

TEST_CASE("a copy in v1 does not have a payment settled that v1 cannot tell", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    f.wanted.v1_network.clear();
    expect_unavailable(f.pay());
    f.offered.version = 1;
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    CHECK(f.facilitator.settled == 2);
}

TEST_CASE("a full record is busy, not open", "[x402][engine]")
{
    fixture f;
    f.bounds.max_open = 0;
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
    CHECK(f.engine().counters().busy == 1);
}

TEST_CASE("too many copies of one payment are busy", "[x402][engine]")
{
    fixture f;
    f.facilitator.hold();
    for (int i = 0; i < 65; ++i)
        CHECK_FALSE(f.start().done);
    request& extra = f.start();
    REQUIRE(extra.done);
    CHECK(expect_unavailable(*extra.made) == unavailable_cause::busy);
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.go();
    f.poll();
    f.deliver(*f.requests.front().made);
    int paid = 0;
    int used = 0;
    for (const request& each : f.requests)
    {
        REQUIRE(each.done);
        paid += std::holds_alternative<verdict_paid>(*each.made);
        used += std::holds_alternative<verdict_already_used>(*each.made);
    }
    CHECK(paid == 1);
    CHECK(used == 64);
}

TEST_CASE("an exception leaves no payment taken", "[x402][engine]")
{
    fixture f;
    SECTION("before the settlement: released")
    {
        f.facilitator.throws = true;
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.state() == std::nullopt);
    }
    SECTION("in the settlement: unknown")
    {
        f.facilitator.verifies = {verify_valid()};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.state() == payment_state::unknown);
        // In the resolution: still unknown.
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.state() == payment_state::unknown);
    }
    CHECK(f.engine().counters().internal > 0);
}

TEST_CASE("a buyer who hangs up does not stop the settlement", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold_settlements();
    request& one = f.start();
    one.signal.emit(asio::cancellation_type::terminal);
    f.poll();
    CHECK(one.done);
    CHECK(f.state() == payment_state::settling);
    f.facilitator.go();
    f.poll();
    CHECK(f.state() == payment_state::settled);
    CHECK(f.facilitator.settled == 1);
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("for a buyer who hangs up before the settlement none is sent", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.hold();
    request& one = f.start();
    one.signal.emit(asio::cancellation_type::terminal);
    f.poll();
    f.facilitator.go();
    f.poll();
    CHECK(f.facilitator.settled == 0);
    CHECK(f.state() == std::nullopt);
}

TEST_CASE("a process that ends in a settlement destroys cleanly", "[x402][engine]")
{
    fixture f;
    f.facilitator.hold();
    f.start();
    CHECK(f.engine().under_way() == 1);
}

TEST_CASE("an answer that is told after the end of its engine harms nobody", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict made = f.pay();
    f.made_engine.reset();
    f.deliver(made);
    CHECK(f.state() == payment_state::delivering);
}

TEST_CASE("in steps: reserved and verified, then settled, then granted", "[x402][engine][reserve]")
{
    fixture f;
    const auto reserve = [&f] {
        reserve_outcome out = portitor::test::run(f.context, f.engine().reserve(f.asked()));
        f.poll();
        return out;
    };
    f.facilitator.verifies = {verify_valid(), verify_valid()};
    reserve_outcome outcome = reserve();
    REQUIRE(std::holds_alternative<reservation>(outcome));
    reservation held = std::get<reservation>(std::move(outcome));
    CHECK(f.state() == payment_state::verified);
    CHECK(f.facilitator.settled == 0);

    SECTION("settled")
    {
        f.facilitator.settles = {success()};
        // However long the upstream took.
        f.pass(milliseconds(30'000));
        request& one = f.start(f.engine().settle(std::move(held), f.timers.now() + f.deadline));
        REQUIRE(one.done);
        expect<verdict_paid>(*one.made);
        f.deliver(*one.made);
        CHECK(f.state() == payment_state::delivered);
    }
    SECTION("a copy waits for its end")
    {
        request& copy = f.start();
        CHECK_FALSE(copy.done);
        held = reservation();
        f.poll();
        // It is free, and the copy has it verified for itself.
        CHECK(f.facilitator.verified == 2);
    }
    SECTION("dropped: nothing is charged, and the payment stays good")
    {
        held = reservation();
        f.poll();
        CHECK(f.state() == std::nullopt);
        CHECK(f.facilitator.settled == 0);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
    }
    SECTION("not settled without the time for it")
    {
        request& one = f.start(f.engine().settle(std::move(held), f.timers.now() + milliseconds(500)));
        REQUIRE(one.done);
        CHECK(expect_unavailable(*one.made) == unavailable_cause::facilitator);
        CHECK(f.facilitator.settled == 0);
        CHECK(f.state() == std::nullopt);
    }
}

TEST_CASE("who reserves what is settled already gets its grant", "[x402][engine][reserve]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict first = f.pay();
    f.lose(first);
    reserve_outcome outcome = portitor::test::run(f.context, f.engine().reserve(f.asked()));
    REQUIRE(std::holds_alternative<verdict>(outcome));
    CHECK(expect<verdict_paid>(std::get<verdict>(outcome)).again);
}

TEST_CASE("a paid request costs the record four round trips", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    verdict made = f.pay();
    f.deliver(made);
    CHECK(f.record().calls == std::vector<std::string>{"begin", "settling", "delivering", "delivered"});
}

TEST_CASE("of 64 copies at once one is paid", "[x402][engine]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    for (int i = 0; i < 64; ++i)
        f.start();
    f.facilitator.go();
    f.poll();
    const auto done = [&f] {
        return std::count_if(f.requests.begin(), f.requests.end(), [](const request& each) {
            return each.done;
        });
    };
    REQUIRE(done() == 1);

    // Each lost answer leaves the grant to one of those who wait.
    const auto granted = [&f]() -> verdict& {
        for (request& each : f.requests)
            if (each.made && std::holds_alternative<verdict_paid>(*each.made))
                return *each.made;
        throw std::logic_error("nobody has it");
    };
    for (int lost = 1; lost <= 3; ++lost)
    {
        verdict& one = granted();
        f.lose(one);
        one = verdict_unavailable();
        REQUIRE(done() == 1 + lost);
    }
    f.deliver(granted());
    REQUIRE(done() == 64);
    const auto used = std::count_if(f.requests.begin(), f.requests.end(), [](const request& each) {
        return std::holds_alternative<verdict_already_used>(*each.made);
    });
    CHECK(used == 60);
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine().counters().paid == 1);
    CHECK(f.engine().counters().paid_again == 3);
}
