#include "engine_world.hpp"

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

// A first request whose settlement stays unknown; the gate has a chain from then on.
struct in_doubt : fixture
{
    in_doubt()
    {
        facilitator.verifies = {verify_valid()};
        facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
        expect_unavailable(pay());
        made_engine.reset();
        with_chain = true;
    }
};

const settle_outcome unhelpful[] = {
    settle_unknown(down()),
    settle_not_sent(down(errc::unavailable)),
    settle_refused("insufficient_funds"),
    settle_refused("invalid_exact_evm_nonce_already_used"),
};

}  // namespace

TEST_CASE("the chain tells of a settlement that the facilitator lost", "[x402][engine][chain]")
{
    fixture f;
    f.with_chain = true;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down())};
    f.chain.findings = {finding(settlement_state::settled)};
    expect<verdict_paid>(f.pay());
    CHECK(f.facilitator.settled == 1);
    CHECK(f.chain.asked == 1);
    CHECK(f.chain.timeouts[0] == milliseconds(4'000));
}

TEST_CASE("it tells so again after the second try", "[x402][engine][chain]")
{
    for (const settle_outcome& second : unhelpful)
    {
        INFO(second.index());
        fixture f;
        f.with_chain = true;
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), second};
        f.chain.findings = {finding(settlement_state::open), finding(settlement_state::settled)};
        verdict made = f.pay();
        const auto& paid = expect<verdict_paid>(made);
        CHECK(
            json::parse(decode_base64(paid.receipt).value()) ==
            json::parse(R"({"success":true,"transaction":"0xc4a1","network":"eip155:84532",
                "payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"})")
        );
        CHECK(f.engine().counters().chain_lookups == 2);
        CHECK(f.engine().counters().chain_settled == 1);
        f.deliver(made);
        CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::sold);
        CHECK(f.chain.asked == 2);
    }
}

TEST_CASE("a receipt from the chain names the network as the payment's version does", "[x402][engine][chain]")
{
    fixture f;
    f.with_chain = true;
    f.offered = decode_v1(v1_payment()).value();
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    f.chain.findings = {finding(settlement_state::settled)};
    const verdict made = f.pay();
    const std::string receipt = expect<verdict_paid>(made).receipt;
    CHECK(json::parse(decode_base64(receipt).value()).at("network") == "base-sepolia");
}

TEST_CASE(
    "a later copy asks the chain first, then the facilitator, and then the chain", "[x402][engine][chain]"
)
{
    SECTION("who settles need not be doubted")
    {
        in_doubt f;
        f.facilitator.settles = {success()};
        f.chain.findings = {finding(settlement_state::open)};
        expect<verdict_paid>(f.pay());
        CHECK(f.chain.asked == 1);
    }
    SECTION("settled")
    {
        in_doubt f;
        f.chain.findings = {finding(settlement_state::settled)};
        expect<verdict_paid>(f.pay());
        CHECK(f.facilitator.settled == 2);
        for (const settle_outcome& outcome : unhelpful)
        {
            in_doubt late;
            late.facilitator.settles = {outcome};
            late.chain.findings = {finding(settlement_state::open), finding(settlement_state::settled)};
            expect<verdict_paid>(late.pay());
            CHECK(late.facilitator.settled == 3);
        }
    }
    SECTION("over")
    {
        for (const auto state : {settlement_state::canceled, settlement_state::used_otherwise})
        {
            in_doubt f;
            f.chain.findings = {finding(state)};
            const verdict made = f.pay();
            CHECK(expect<verdict_already_used>(made).receipt.empty());
            CHECK(expect<verdict_already_used>(made).cause == used_cause::withdrawn);
            expect<verdict_already_used>(f.pay());
            CHECK(f.chain.asked == 1);
            CHECK(f.engine().counters().chain_over == 1);
            for (const settle_outcome& outcome : unhelpful)
            {
                in_doubt late;
                late.facilitator.settles = {outcome};
                late.chain.findings = {finding(settlement_state::open), finding(state)};
                expect<verdict_already_used>(late.pay());
            }
        }
    }
    SECTION("dead: it may be paid anew")
    {
        in_doubt f;
        f.chain.findings = {finding(settlement_state::dead)};
        CHECK(
            expect<verdict_payment_required>(f.pay()).reason ==
            "invalid_exact_evm_payload_authorization_valid_before"
        );
        CHECK(f.state() == std::nullopt);
        for (const settle_outcome& outcome : unhelpful)
        {
            in_doubt late;
            late.facilitator.settles = {outcome};
            late.chain.findings = {finding(settlement_state::open), finding(settlement_state::dead)};
            expect<verdict_payment_required>(late.pay());
            CHECK(late.state() == std::nullopt);
        }
    }
    SECTION("not known: as without a chain")
    {
        for (const auto state : {settlement_state::open, settlement_state::cannot_tell})
        {
            in_doubt f;
            f.facilitator.settles = {
                settle_unknown(down()), settle_not_sent(down()), settle_refused("insufficient_funds")};
            f.chain.findings = {finding(state)};
            for (int i = 0; i < 3; ++i)
                CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
            CHECK(f.chain.asked == 6);
            f.time.time += std::chrono::hours(1);
            f.facilitator.settles = {settle_refused("insufficient_funds")};
            CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::expired);
        }
    }
}

TEST_CASE("what the facilitator calls used and the chain open is not lost", "[x402][engine][chain]")
{
    const settle_refused used("invalid_exact_evm_nonce_already_used");
    in_doubt f;
    f.facilitator.settles = {used};
    f.chain.findings = {
        finding(settlement_state::open), finding(settlement_state::open), finding(settlement_state::settled)};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    expect<verdict_paid>(f.pay());
    CHECK(f.engine().counters().unproven == 0);

    // A node that cannot tell now is waited for.
    in_doubt g;
    g.facilitator.settles = {used};
    g.chain.findings = {
        finding(settlement_state::cannot_tell),
        finding(settlement_state::cannot_tell),
        finding(settlement_state::settled)};
    CHECK(expect_unavailable(g.pay()) == unavailable_cause::settlement_unknown);
    expect<verdict_paid>(g.pay());
    CHECK(g.engine().counters().unproven == 0);
}

TEST_CASE(
    "however often a payment in doubt is sent, others are asked about it a few times", "[x402][engine][chain]"
)
{
    in_doubt f;
    f.facilitator.settles.assign(20, settle_unknown(down()));
    f.chain.findings.assign(40, finding(settlement_state::open));
    const int settled = f.facilitator.settled;
    for (int i = 0; i < 20; ++i)
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    CHECK(f.facilitator.settled - settled == 5);
    CHECK(f.chain.asked <= 10);
    // Who waits as long as he is told is looked after.
    f.timers.advance(std::chrono::seconds(10));
    f.chain.findings = {finding(settlement_state::settled)};
    expect<verdict_paid>(f.pay());
}

TEST_CASE("what was settled before it came here was settled elsewhere", "[x402][engine][chain]")
{
    settlement_finding early = finding(settlement_state::settled);
    early.mined_at = static_cast<std::uint64_t>(now_seconds - 61);
    fixture f;
    f.with_chain = true;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down())};
    f.chain.findings = {early};
    CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::elsewhere);
    expect<verdict_already_used>(f.pay());
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("who lost the race to another settlement gets nothing for that one", "[x402][engine][chain]")
{
    settle_unknown failed(down(errc::refused));
    failed.transaction = "0xf1";
    failed.failed = true;
    fixture f;
    f.with_chain = true;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {failed};
    f.chain.findings = {finding(settlement_state::settled)};
    CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::elsewhere);

    // Unless it is the very one that the facilitator called a failure.
    fixture g;
    g.with_chain = true;
    g.facilitator.verifies = {verify_valid()};
    failed.transaction = finding(settlement_state::settled).transaction;
    g.facilitator.settles = {failed};
    g.chain.findings = {finding(settlement_state::settled)};
    expect<verdict_paid>(g.pay());
}

TEST_CASE("without doubt the chain is not asked", "[x402][engine][chain]")
{
    // Another replica may have sold what was used before it came here.
    for (const char* reason : {"invalid_exact_evm_nonce_already_used", "insufficient_funds"})
    {
        fixture at_verify;
        at_verify.with_chain = true;
        at_verify.facilitator.verifies = {verify_invalid(reason)};
        at_verify.pay();
        CHECK(at_verify.chain.asked == 0);

        fixture at_settle;
        at_settle.with_chain = true;
        at_settle.facilitator.verifies = {verify_valid()};
        at_settle.facilitator.settles = {settle_refused(reason)};
        const verdict made = at_settle.pay();
        CHECK_FALSE(std::holds_alternative<verdict_paid>(made));
        CHECK(at_settle.chain.asked == 0);
    }
}

TEST_CASE("a refusal that may hide a used nonce is looked up", "[x402][engine][chain]")
{
    const char* reason = "permit2_simulation_failed";
    for (const auto state :
         {settlement_state::settled,
          settlement_state::canceled,
          settlement_state::used_otherwise,
          settlement_state::used_before})
    {
        INFO(to_string(state));
        fixture f;
        f.with_chain = true;
        f.facilitator.verifies = {verify_invalid(reason)};
        f.chain.findings = {finding(state)};
        const verdict made = f.pay();
        CHECK(expect<verdict_already_used>(made).cause == used_cause::elsewhere);
        CHECK(f.chain.asked == 1);
        CHECK(f.facilitator.settled == 0);
    }
    for (const auto state : {settlement_state::open, settlement_state::dead})
    {
        INFO(to_string(state));
        fixture f;
        f.with_chain = true;
        f.facilitator.verifies = {verify_invalid(reason)};
        f.chain.findings = {finding(state)};
        CHECK(expect<verdict_payment_required>(f.pay()).reason == reason);
        CHECK(f.state() == std::nullopt);
    }
    fixture away;
    away.with_chain = true;
    away.facilitator.verifies = {verify_invalid(reason)};
    away.chain.findings = {finding(settlement_state::cannot_tell)};
    expect_unavailable(away.pay());
    CHECK(away.state() == std::nullopt);
    // Nobody can be asked.
    fixture alone;
    alone.facilitator.verifies = {verify_invalid(reason)};
    CHECK(expect<verdict_payment_required>(alone.pay()).reason == reason);
}

TEST_CASE("a chain that throws leaves the payment unknown", "[x402][engine][chain]")
{
    in_doubt f;
    f.facilitator.settles = {settle_unknown(down())};
    f.chain.findings.clear();
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
    CHECK(f.state() == payment_state::unknown);
}

TEST_CASE("buyers are told to wait as long as the facilitator asks", "[x402][engine]")
{
    using std::chrono::seconds;
    const auto wait = [](std::deque<verify_outcome> verifies, std::deque<settle_outcome> settles) {
        fixture f;
        f.facilitator.verifies = std::move(verifies);
        f.facilitator.settles = std::move(settles);
        return expect<verdict_unavailable>(f.pay()).retry_after;
    };
    CHECK(wait({verify_unavailable(down(), seconds(17))}, {}) == seconds(17));
    CHECK(wait({verify_unavailable(down())}, {}) == seconds(5));
    CHECK(wait({verify_valid()}, {settle_not_sent(down(), seconds(17))}) == seconds(17));
    CHECK(wait({verify_valid()}, {settle_not_sent(down())}) == seconds(5));
    CHECK(
        wait({verify_valid()}, {settle_unknown(down()), settle_unknown(down(), seconds(17))}) == seconds(17)
    );
    CHECK(
        wait({verify_valid()}, {settle_unknown(down()), settle_not_sent(down(), seconds(9))}) == seconds(9)
    );
    CHECK(wait({verify_valid()}, {settle_unknown(down()), settle_unknown(down())}) == seconds(5));
    // But not past the minute that the payment is good for.
    CHECK(wait({verify_unavailable(down(), seconds(86'400))}, {}) == seconds(59));
}

TEST_CASE(
    "a facilitator that refuses without a judgement is broken, one that is busy is not", "[x402][engine]"
)
{
    fixture f;
    f.facilitator.verifies = {
        verify_unavailable(down(errc::refused)), verify_unavailable(down(errc::unavailable))};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::facilitator_broken);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::facilitator);
}

namespace {

struct with_receipts : fixture
{
    with_receipts()
    {
        with_chain = true;
        limits.check_receipts = [](std::string_view network) { return network == "eip155:84532"; };
        facilitator.verifies = {verify_valid()};
        facilitator.settles = {success()};
    }
};

}  // namespace

TEST_CASE("a facilitator's success is believed once the node shows it", "[x402][engine][chain]")
{
    with_receipts f;
    f.chain.findings = {finding(settlement_state::open), finding(settlement_state::settled)};
    request& one = f.start();
    CHECK_FALSE(one.done);
    f.pass(milliseconds(1'000));
    expect<verdict_paid>(f.await(one));
    CHECK(f.chain.asked == 2);
    CHECK(f.facilitator.settled == 1);
    // Another transaction than the one that was told: that of the chain counts.
    CHECK(f.known().proof.transaction == "0xc4a1");
    CHECK(f.engine().counters().receipts_refuted == 1);

    // Where the operator does not ask for it the node is not asked.
    with_receipts g;
    g.limits.check_receipts = [](std::string_view) { return false; };
    expect<verdict_paid>(g.pay());
    CHECK(g.chain.asked == 0);
}

TEST_CASE("a receipt of few confirmations is looked up once more, too", "[x402][engine][chain]")
{
    with_receipts f;
    f.chain.confirmed = std::chrono::seconds(10);
    settlement_finding fresh = finding(settlement_state::settled);
    fresh.transaction = "0xE16D";
    fresh.lacking = 4;
    f.chain.findings = {fresh};
    verdict made = f.pay();
    expect<verdict_paid>(made);
    CHECK(f.known().proof.transaction == "0xe16d");
    CHECK(f.engine().counters().receipts_refuted == 0);
    f.chain.findings = {finding(settlement_state::canceled)};
    f.keep(30);
    CHECK(f.engine().counters().reorganised == 1);
}

TEST_CASE("a success that the node contradicts is no grant", "[x402][engine][chain]")
{
    settlement_finding earlier = finding(settlement_state::settled);
    earlier.mined_at = static_cast<std::uint64_t>(now_seconds - 61);
    const std::pair<settlement_finding, used_cause> lies[] = {
        // It was mined before this payment came here: it has bought its answer elsewhere.
        {earlier, used_cause::elsewhere},
        {finding(settlement_state::canceled), used_cause::withdrawn},
        {finding(settlement_state::used_otherwise), used_cause::withdrawn},
    };
    for (const auto& [found, cause] : lies)
    {
        with_receipts f;
        f.chain.findings = {found};
        CHECK(expect<verdict_already_used>(f.pay()).cause == cause);
        CHECK(f.engine().counters().receipts_refuted == 1);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.state() == payment_state::closed);
    }
}

TEST_CASE(
    "a success after a transaction that failed is a grant where the node shows it", "[x402][engine][chain]"
)
{
    settle_unknown failed(down());
    failed.transaction = "0xfa11";
    failed.failed = true;
    with_receipts f;
    f.facilitator.settles = {failed, success()};
    settlement_finding shown = finding(settlement_state::settled);
    SECTION("by the transaction that it names")
    {
        shown.transaction = "0xe16d";
        f.chain.findings = {finding(settlement_state::open), shown};
        expect<verdict_paid>(f.pay());
        CHECK(f.engine().counters().receipts_refuted == 0);
    }
    SECTION("and none where another one came first")
    {
        f.chain.findings = {finding(settlement_state::open), shown};
        CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::elsewhere);
    }
    CHECK(f.facilitator.settled == 2);
}

TEST_CASE("a success that no node tells of waits, and is not settled again", "[x402][engine][chain]")
{
    with_receipts f;
    f.chain.findings = {finding(settlement_state::cannot_tell)};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.state() == payment_state::unknown);
    f.chain.findings = {finding(settlement_state::settled)};
    f.keep(2);
    CHECK(f.state() == payment_state::settled);
    CHECK(f.facilitator.settled == 1);
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("where receipts are checked a used nonce alone is no grant either", "[x402][engine][chain]")
{
    with_receipts f;
    f.facilitator.settles = {success(), settle_refused("invalid_exact_evm_nonce_already_used")};
    f.chain.findings = {finding(settlement_state::cannot_tell)};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
    CHECK(f.facilitator.settled == 2);
    f.chain.findings = {finding(settlement_state::settled)};
    expect<verdict_paid>(f.pay());
    CHECK(f.engine().counters().unproven == 0);
}

TEST_CASE("a receipt that lacks confirmations is looked up once more", "[x402][engine][chain]")
{
    with_receipts f;
    f.chain.confirmed = std::chrono::seconds(10);
    settlement_finding young = finding(settlement_state::settled);
    young.lacking = 3;
    f.chain.findings = {young};
    expect<verdict_paid>(f.pay());
    f.chain.findings = {finding(settlement_state::open)};
    f.keep(100);
    CHECK(f.chain.asked == 4);
    CHECK(f.engine().counters().reorganised == 1);
}

TEST_CASE("what is left in doubt is looked up on the chain, and settled by nobody", "[x402][engine][chain]")
{
    with_receipts f;
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    f.chain.findings = {finding(settlement_state::open)};
    expect_unavailable(f.pay());
    f.keep(60);
    CHECK(f.state() == payment_state::unknown);
    CHECK(f.facilitator.settled == 2);
    // Less and less often.
    CHECK(f.chain.asked < 9);

    SECTION("until it shows")
    {
        f.chain.findings = {finding(settlement_state::settled)};
        f.keep(90);
        CHECK(f.state() == payment_state::settled);
        CHECK(f.told == std::vector<std::string>{"undelivered demo/hello"});
        CHECK(f.chain.sinces.back() == static_cast<std::uint64_t>(now_seconds));
    }
    SECTION("while a copy does not wait for that")
    {
        asio::steady_timer looking(f.context, asio::steady_timer::time_point::max());
        f.chain.hold = &looking;
        f.keep(90);
        REQUIRE(f.chain.hold == nullptr);
        f.chain.findings = {finding(settlement_state::settled)};
        verdict made = f.pay();
        expect<verdict_paid>(made);
        // It comes too late with the same word.
        looking.cancel();
        f.poll();
        CHECK(f.state() == payment_state::delivering);
    }
    SECTION("until it can never settle")
    {
        f.chain.findings = {finding(settlement_state::dead)};
        f.keep(90);
        CHECK(f.state() == std::nullopt);
    }
    SECTION("until its time is over and nobody can tell")
    {
        f.chain.confirmed.reset();
        f.chain.findings = {finding(settlement_state::cannot_tell)};
        f.keep(900);
        CHECK(f.state() == payment_state::expired);
        CHECK(f.told == std::vector<std::string>{"expired demo/hello"});
        CHECK(expect<verdict_already_used>(f.pay()).cause == used_cause::expired);
        // The chain may tell later.
        f.chain.findings = {finding(settlement_state::settled)};
        f.pass(milliseconds(600'000));
        CHECK(expect<verdict_paid>(f.pay()).again);
    }
    SECTION("and where there is a node, that is waited for")
    {
        f.chain.confirmed = std::chrono::seconds(10);
        f.chain.findings = {finding(settlement_state::cannot_tell)};
        f.keep(900);
        CHECK(f.state() == payment_state::unknown);
        f.pass(std::chrono::hours(2));
        f.keep(2);
        CHECK(f.state() == payment_state::expired);
    }
}

TEST_CASE("a settlement is looked up once more after the confirmations", "[x402][engine][chain]")
{
    with_receipts f;
    f.limits.check_receipts = nullptr;
    f.chain.confirmed = std::chrono::seconds(10);
    verdict made = f.pay();
    SECTION("and stays")
    {
        f.chain.findings = {finding(settlement_state::settled)};
        f.keep(30);
        CHECK(f.chain.asked == 1);
        CHECK(f.engine().counters().reorganised == 0);
    }
    SECTION("or is told to be gone")
    {
        f.lose(made);
        f.chain.findings = {finding(settlement_state::open)};
        f.keep(100);
        CHECK(f.chain.asked == 3);
        CHECK(f.engine().counters().reorganised == 1);
        CHECK(f.known().reorganised);
        CHECK(f.told.back() == "reorganised demo/hello");
    }
    SECTION("and is not believed before it is deep enough, either way")
    {
        f.lose(made);
        settlement_finding shallow = finding(settlement_state::settled);
        shallow.lacking = 1;
        settlement_finding gone = finding(settlement_state::canceled);
        gone.lacking = 1;
        f.chain.findings = {shallow, gone, finding(settlement_state::canceled)};
        f.keep(60);
        CHECK(f.chain.asked == 2);
        CHECK(f.engine().counters().reorganised == 0);
        f.keep(60);
        CHECK(f.chain.asked == 3);
        CHECK(f.engine().counters().reorganised == 1);
    }
    SECTION("and one that never gets deep enough stays")
    {
        settlement_finding shallow = finding(settlement_state::settled);
        shallow.lacking = 1;
        f.chain.findings = {shallow};
        f.keep(200);
        CHECK(f.chain.asked == 3);
        CHECK(f.engine().counters().reorganised == 0);
    }
    SECTION("also once it is delivered")
    {
        f.deliver(made);
        f.chain.findings = {finding(settlement_state::canceled)};
        f.keep(30);
        CHECK(f.engine().counters().reorganised == 1);
        CHECK(f.record().calls.back() == "delivered");
    }
}

TEST_CASE("a process looks a second time at what the one before it settled last", "[x402][engine][chain]")
{
    with_receipts f;
    f.chain.confirmed = std::chrono::seconds(10);
    const auto left = [&f](char digit, std::uint64_t seconds_ago) {
        payment_record out;
        payment offered = f.offered;
        offered.nonce = "0x" + std::string(64, digit);
        out.key = key_of(offered, f.wanted);
        out.state = payment_state::delivered;
        out.settled_at = unix_seconds(f.time.now()) - seconds_ago;
        auto terms = std::make_shared<payment_terms>();
        terms->wanted = f.wanted;
        terms->offer = f.offer;
        out.terms = std::move(terms);
        out.offered = without_secrets(offered);
        return out;
    };
    // The first had its second look long before the last one was settled.
    f.record().settled = {left('1', 500), left('2', 301), left('3', 300)};
    f.chain.findings = {finding(settlement_state::canceled), finding(settlement_state::settled)};
    f.keep(30);
    CHECK(f.chain.asked == 2);
    CHECK(f.engine().counters().reorganised == 1);
    CHECK(f.told.back() == "reorganised demo/hello");
}
