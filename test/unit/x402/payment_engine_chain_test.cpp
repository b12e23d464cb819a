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
        CHECK(expect<verdict_already_used>(f.pay()).receipt == paid.receipt);
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

    // A node that cannot tell is as none.
    in_doubt g;
    g.facilitator.settles = {used};
    g.chain.findings = {finding(settlement_state::cannot_tell)};
    expect<verdict_paid>(g.pay());
    CHECK(g.engine().counters().unproven == 1);
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
