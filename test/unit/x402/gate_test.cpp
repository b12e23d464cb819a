#include "gate_world.hpp"

#include <thread>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

TEST_CASE("a good payment is verified, settled and granted once", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict made = f.pay();
    const auto& paid = expect<verdict_paid>(made);
    CHECK(paid.payer == f.offered.payer);
    CHECK(paid.key == f.key());
    CHECK_FALSE(paid.again);
    CHECK(json::parse(decode_base64(paid.receipt).value()).at("transaction") == "0xe16d");
    CHECK(f.facilitator.timeouts[0] <= milliseconds(5'000));
    // Nobody hangs up on a settlement that is under way, however long its buyer may wait.
    CHECK(f.facilitator.timeouts[1] == milliseconds(120'000));

    f.engine.delivered(paid.key);
    CHECK(expect<verdict_already_used>(f.pay()).receipt == paid.receipt);
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine.counters().paid == 1);
    CHECK(f.engine.counters().already_used == 1);
}

TEST_CASE("an answer that was not delivered is given again, without a second settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    f.engine.undelivered(expect<verdict_paid>(first).key);
    // The window is over, but the money was paid in it.
    f.time.time += std::chrono::hours(1);
    const verdict second = f.pay();
    CHECK(expect<verdict_paid>(second).again);
    CHECK(expect<verdict_paid>(second).receipt == expect<verdict_paid>(first).receipt);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine.counters().paid_again == 1);
    f.engine.delivered(f.key());
    expect<verdict_already_used>(f.pay());
}

TEST_CASE("the same payment buys nothing at another URI", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    f.binding.uri = "/services/hello?page=2";
    CHECK(expect<verdict_already_used>(f.pay()).receipt == expect<verdict_paid>(first).receipt);
    f.engine.undelivered(f.key());
    expect<verdict_already_used>(f.pay());
    f.binding.uri = "/services/hello";
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("a payment out of its time is refused without asking anyone", "[x402][gate]")
{
    fixture f;
    f.time.time += std::chrono::minutes(5);
    CHECK(
        expect<verdict_payment_required>(f.pay()).reason ==
        "invalid_exact_evm_payload_authorization_valid_before"
    );
    CHECK(f.facilitator.verified == 0);
    CHECK(f.claims->size() == 0);
}

TEST_CASE("a refused verification frees the claim and asks for payment", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_invalid("insufficient_funds"), verify_valid()};
    f.facilitator.settles = {success()};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.claims->size() == 0);
    CHECK(f.facilitator.settled == 0);
    // Funds have come.
    expect<verdict_paid>(f.pay());
}

TEST_CASE("a payment that was settled elsewhere is used, never asked for again", "[x402][gate]")
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

TEST_CASE("a facilitator that cannot verify settles nothing", "[x402][gate]")
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
        CHECK(f.claims->size() == 0);
        CHECK(f.facilitator.settled == 0);
        expect<verdict_paid>(f.pay());
        CHECK(f.engine.counters().facilitator_unavailable == 1);
    }
}

TEST_CASE("a settlement that was never sent frees the claim", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_not_sent(down(errc::unavailable))};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::facilitator);
    CHECK(f.claims->size() == 0);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a refused settlement frees the claim and asks for payment", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_refused("insufficient_funds")};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.claims->size() == 0);
}

TEST_CASE("an unknown settlement is tried once more with the same payload", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), success()};
    expect<verdict_paid>(f.pay());
    REQUIRE(f.facilitator.payloads.size() == 2);
    CHECK(f.facilitator.payloads[0] == f.facilitator.payloads[1]);
    CHECK(f.engine.counters().settle_retries == 1);
    CHECK(f.engine.counters().paid == 1);
}

TEST_CASE("after an unknown settlement nobody is asked to pay again", "[x402][gate]")
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
        CHECK(f.state() == claim_step::resolve);
        CHECK(f.engine.counters().settlement_unknown == 1);
    }
}

TEST_CASE("after doubt a used nonce is the grant: the settlement was ours", "[x402][gate]")
{
    for (const char* reason : {"invalid_exact_evm_nonce_already_used", "permit2_invalid_nonce"})
    {
        fixture f;
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), settle_refused(reason)};
        const verdict made = f.pay();
        const auto& paid = expect<verdict_paid>(made);
        CHECK(
            json::parse(decode_base64(paid.receipt).value()) ==
            json::parse(R"({"success":true,"transaction":"","network":"eip155:84532",
                "payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"})")
        );
        CHECK(f.engine.counters().unproven == 1);
        f.engine.delivered(f.key());
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
    "after our own transaction failed a used nonce buys nothing, and is not asked for again", "[x402][gate]"
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

TEST_CASE("a later copy resolves an unknown settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    expect_unavailable(f.pay());

    SECTION("as settled")
    {
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
        f.engine.delivered(f.key());
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
        CHECK(f.engine.counters().unproven == 1);
    }
    SECTION("not yet")
    {
        f.facilitator.settles = {
            settle_unknown(down()), settle_not_sent(down()), settle_refused("insufficient_funds")};
        for (int i = 0; i < 3; ++i)
            CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 5);
        CHECK(f.engine.counters().resolutions == 3);
    }
    SECTION("as over, once the payment has expired")
    {
        f.time.time += std::chrono::hours(1);
        const settle_refused expired("invalid_exact_evm_payload_authorization_valid_before");
        f.facilitator.settles = {expired, expired, success()};
        for (int i = 0; i < 2; ++i)
            CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::expired);
        // Somebody may yet tell.
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 5);
    }
    SECTION("only for the same purchase")
    {
        f.binding.method = "POST";
        CHECK(expect<verdict_already_used>(f.pay()).receipt.empty());
        CHECK(f.facilitator.settled == 2);
    }
    CHECK(f.facilitator.verified == 1);
}

TEST_CASE("copies wait for the outcome, and one of them gets the grant", "[x402][gate]")
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
        f.engine.delivered(f.key());
        f.poll();
        REQUIRE(second.done);
        REQUIRE(third.done);
        expect<verdict_already_used>(*second.made);
        expect<verdict_already_used>(*third.made);
    }
    SECTION("undelivered")
    {
        f.engine.undelivered(f.key());
        f.poll();
        REQUIRE(second.done != third.done);
        request& granted = second.done ? second : third;
        request& waiting = second.done ? third : second;
        CHECK(expect<verdict_paid>(*granted.made).again);
        f.engine.delivered(f.key());
        f.poll();
        REQUIRE(waiting.done);
        expect<verdict_already_used>(*waiting.made);
    }
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a copy takes over when the first is refused", "[x402][gate]")
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

TEST_CASE("a copy that waits too long is told to come again", "[x402][gate]")
{
    fixture f;
    f.facilitator.hold();
    f.start();
    f.deadline = milliseconds(5);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.engine.counters().busy == 1);
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.go();
    f.poll();
    expect<verdict_paid>(*f.requests.front().made);
}

TEST_CASE("no settlement begins without the time for it", "[x402][gate]")
{
    fixture f;
    f.deadline = milliseconds(500);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
    CHECK(f.claims->size() == 0);

    SECTION("after a slow verification")
    {
        f.deadline = milliseconds(1'020);
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.hold();
        request& one = f.start();
        std::this_thread::sleep_for(milliseconds(30));
        f.facilitator.go();
        f.poll();
        REQUIRE(one.done);
        CHECK(expect_unavailable(*one.made) == unavailable_cause::facilitator);
        CHECK(f.facilitator.settled == 0);
        CHECK(f.claims->size() == 0);
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
        limits.settle_least = milliseconds(0);
        deadline = milliseconds(10);
    }

    void leave(gate& by)
    {
        facilitator.verifies = {verify_valid()};
        facilitator.hold_settlements();
        const auto until = std::chrono::steady_clock::now() + deadline;
        const verdict made = portitor::test::run(context, by.pay(offered, wanted, "u", binding, until));
        CHECK(expect_unavailable(made) == unavailable_cause::settlement_unknown);
        CHECK(facilitator.settled == 1);
        deadline = milliseconds(20'000);
    }
};

}  // namespace

TEST_CASE("a slow settlement is waited for though its buyer was told to come again", "[x402][gate]")
{
    left_alone f;
    gate engine(f.facilitator, f.claims, f.time, f.limits);
    f.leave(engine);
    CHECK(f.claims->counts().settling == 1);
    const auto pay = [&] {
        const auto until = std::chrono::steady_clock::now() + f.deadline;
        return portitor::test::run(f.context, engine.pay(f.offered, f.wanted, "u", f.binding, until));
    };

    SECTION("and is the grant of the next copy when it was a success")
    {
        f.facilitator.settles = {success()};
        f.facilitator.go();
        f.poll();
        CHECK(f.claims->counts().undelivered == 1);
        CHECK(engine.counters().settled_late == 1);
        CHECK(expect<verdict_paid>(pay()).again);
        CHECK(f.facilitator.settled == 1);
    }
    SECTION("also of one that waits for it")
    {
        const auto until = std::chrono::steady_clock::now() + f.deadline;
        std::optional<verdict> copy;
        asio::co_spawn(
            f.context,
            engine.pay(f.offered, f.wanted, "u", f.binding, until),
            [&copy](std::exception_ptr, verdict made) { copy.emplace(std::move(made)); }
        );
        f.poll();
        CHECK_FALSE(copy);
        f.facilitator.settles = {success()};
        f.facilitator.go();
        f.poll();
        REQUIRE(copy);
        CHECK(expect<verdict_paid>(*copy).again);
    }
    SECTION("and resolved when its outcome is in doubt")
    {
        f.facilitator.settles = {settle_unknown(down()), success()};
        f.facilitator.go();
        f.poll();
        CHECK(f.facilitator.settled == 2);
        CHECK(expect<verdict_paid>(pay()).again);
    }
    SECTION("and the payment is free again when it was refused")
    {
        f.facilitator.settles = {settle_refused("insufficient_funds")};
        f.facilitator.go();
        f.poll();
        CHECK(f.claims->size() == 0);
    }
    SECTION("and a copy that cannot wait for it is told so")
    {
        f.deadline = milliseconds(5);
        CHECK(expect_unavailable(pay()) == unavailable_cause::settlement_unknown);
        f.facilitator.settles = {success()};
        f.facilitator.go();
        f.poll();
    }
}

TEST_CASE("the end of the process waits for settlements in the background, as long as it may", "[x402][gate]")
{
    left_alone f;
    gate engine(f.facilitator, f.claims, f.time, f.limits);
    const auto in = [](int ms) { return std::chrono::steady_clock::now() + milliseconds(ms); };
    // There is nothing to wait for.
    portitor::test::run(f.context, engine.finish(in(20'000)));
    f.leave(engine);

    SECTION("until they end")
    {
        bool ended = false;
        asio::co_spawn(f.context, engine.finish(in(20'000)), [&ended](const std::exception_ptr&) {
            ended = true;
        });
        f.poll();
        CHECK_FALSE(ended);
        f.facilitator.settles = {success()};
        f.facilitator.go();
        f.poll();
        CHECK(ended);
        CHECK(f.claims->counts().undelivered == 1);
    }
    SECTION("and no longer")
    {
        f.facilitator.settles = {settle_unknown(down(errc::canceled))};
        portitor::test::run(f.context, engine.finish(in(5)));
        CHECK(f.claims->counts().unknown == 1);
        // None is begun once more.
        CHECK(f.facilitator.settled == 1);
    }
    SECTION("but for one that is destroyed with all it works with")
    {
        CHECK(f.claims->counts().settling == 1);
    }
}

TEST_CASE("a known payment is followed whatever the terms are by now", "[x402][gate]")
{
    fixture f;
    CHECK_FALSE(f.pay_known());
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    expect_unavailable(f.pay());

    SECTION("a settlement in doubt is repeated as it was begun")
    {
        f.facilitator.settles = {success()};
        const auto made = f.pay_known();
        REQUIRE(made);
        expect<verdict_paid>(*made);
        CHECK(f.facilitator.urls == std::vector<std::string>(3, "https://f.test"));
        CHECK(f.facilitator.amounts == std::vector<u256>(3, 10000));
        // An answer that is lost is given again, one that was delivered is not.
        f.engine.undelivered(f.key());
        const auto again = f.pay_known();
        REQUIRE(again);
        CHECK(expect<verdict_paid>(*again).again);
        f.engine.delivered(f.key());
        const auto over = f.pay_known();
        REQUIRE(over);
        CHECK_FALSE(expect<verdict_already_used>(*over).receipt.empty());
        CHECK(f.facilitator.verified == 1);
    }
    SECTION("for the same purchase only")
    {
        const claim_binding before = f.binding;
        for (const claim_binding& other :
             {claim_binding{"demo/other", "GET", "/services/hello"},
              claim_binding{"demo/hello", "POST", "/services/hello"},
              claim_binding{"demo/hello", "GET", "/services/other"}})
        {
            f.binding = other;
            const auto made = f.pay_known();
            REQUIRE(made);
            CHECK(expect<verdict_already_used>(*made).receipt.empty());
        }
        f.binding = before;
        // Another content is another payment, be it with the nonce of this one.
        const payment signed_one = f.offered;
        for (int i = 0; i < 5; ++i)
        {
            f.offered = signed_one;
            if (i == 0)
                f.offered.value = 1;
            else if (i == 1)
                f.offered.pay_to = evm::address();
            else if (i == 2)
                f.offered.valid_before += 1;
            else if (i == 3)
                f.offered.valid_after += 1;
            else
                f.offered.signature.back() ^= 1;
            CHECK_FALSE(f.pay_known());
            // Nor does it buy anything on the terms of today.
            expect<verdict_already_used>(f.pay());
        }
        CHECK(f.facilitator.settled == 2);
    }
    SECTION("and not when it was refused meanwhile")
    {
        fixture g;
        g.facilitator.verifies = {verify_invalid("insufficient_funds")};
        g.facilitator.hold();
        g.start();
        std::optional<std::optional<verdict>> copy;
        asio::co_spawn(
            g.context,
            g.engine.pay_known(
                g.offered,
                keys_of(g.offered, networks()),
                g.binding,
                std::chrono::steady_clock::now() + g.deadline
            ),
            [&copy](std::exception_ptr, std::optional<verdict> made) { copy.emplace(std::move(made)); }
        );
        g.poll();
        CHECK_FALSE(copy);
        g.facilitator.go();
        g.poll();
        REQUIRE(copy);
        CHECK_FALSE(copy->has_value());
        CHECK(g.facilitator.verified == 1);
        CHECK(g.claims->size() == 0);
    }
    SECTION("another nonce is another payment")
    {
        f.offered.nonce.back() = '1';
        CHECK_FALSE(f.pay_known());
        CHECK(f.claims->size() == 1);
    }
}

TEST_CASE("a full table is busy, not open", "[x402][gate]")
{
    fixture f;
    claim_limits none;
    none.max_claims = 0;
    gate engine(f.facilitator, std::make_shared<claim_table>(none), f.time);
    const verdict made = portitor::test::run(
        f.context,
        engine.pay(
            f.offered, f.wanted, "u", f.binding, std::chrono::steady_clock::now() + std::chrono::seconds(1)
        )
    );
    CHECK(expect_unavailable(made) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
}

TEST_CASE("a sold payment that made room in the table is not sold again", "[x402][gate]")
{
    fixture f;
    claim_limits one;
    one.max_claims = 1;
    const auto claims = std::make_shared<claim_table>(one);
    f.chain.findings = {finding(settlement_state::settled)};
    gate engine(f.facilitator, claims, f.time, f.limits, &f.chain);
    const auto pay = [&](char last) {
        f.offered.nonce.back() = last;
        const auto until = std::chrono::steady_clock::now() + f.deadline;
        return portitor::test::run(f.context, engine.pay(f.offered, f.wanted, "u", f.binding, until));
    };
    f.facilitator.verifies = {verify_valid(), verify_valid()};
    f.facilitator.settles = {success(), success()};
    for (const char last : {'1', '2'})
    {
        const verdict made = pay(last);
        engine.delivered(expect<verdict_paid>(made).key);
    }
    // Its nonce is used, which is the first word about it now, be it at once or at the settlement.
    const settle_refused used("invalid_exact_evm_nonce_already_used");
    f.facilitator.verifies = {verify_invalid(used.reason), verify_valid()};
    f.facilitator.settles = {used};
    for (int i = 0; i < 2; ++i)
        CHECK(expect<verdict_already_used>(pay('1')).cause == used_cause::elsewhere);
    CHECK(engine.counters().paid == 2);
    CHECK(f.chain.asked == 0);
}

TEST_CASE("too many copies of one payment are busy", "[x402][gate]")
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
    f.engine.delivered(f.key());
    f.poll();
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

TEST_CASE("an exception leaves no claim in flight", "[x402][gate]")
{
    fixture f;
    SECTION("before the settlement: released")
    {
        f.facilitator.throws = true;
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.claims->size() == 0);
    }
    SECTION("in the settlement: unknown")
    {
        f.facilitator.verifies = {verify_valid()};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.state() == claim_step::resolve);
        f.claims->unknown(f.key());
        // In the resolution: still unknown.
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.state() == claim_step::resolve);
    }
    CHECK(f.engine.counters().internal > 0);
}

TEST_CASE("a buyer who hangs up does not stop the settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& one = f.start();
    one.signal.emit(asio::cancellation_type::terminal);
    f.poll();
    CHECK_FALSE(one.done);
    f.facilitator.go();
    f.poll();
    REQUIRE(one.done);
    REQUIRE_FALSE(one.failure);
    expect<verdict_paid>(*one.made);
    CHECK(f.facilitator.settled == 1);
    f.engine.undelivered(f.key());
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("a process that ends in a settlement destroys cleanly", "[x402][gate]")
{
    const auto claims = std::make_shared<claim_table>();
    {
        fixture f;
        gate engine(f.facilitator, claims, f.time);
        f.facilitator.hold();
        asio::co_spawn(
            f.context,
            engine.pay(f.offered, f.wanted, "u", f.binding, std::chrono::steady_clock::now() + f.deadline),
            [](std::exception_ptr, const verdict&) { FAIL("it cannot have ended"); }
        );
        f.poll();
        CHECK(claims->size() == 1);
    }
    CHECK(claims->size() == 0);
}

TEST_CASE("an answer without a report counts as undelivered", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    {
        delivery_guard guard = f.engine.guard_delivery(expect<verdict_paid>(first));
        delivery_guard moved = std::move(guard);
        CHECK(f.state() == claim_step::wait);
    }
    const verdict second = f.pay();
    {
        delivery_guard guard;
        guard = f.engine.guard_delivery(expect<verdict_paid>(second));
        guard.delivered();
    }
    expect<verdict_already_used>(f.pay());
}
