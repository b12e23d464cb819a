#include "account_world.hpp"

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::registrar::samples;

TEST_CASE_METHOD(account_world, "an account is led from its Lease on", "[registrar][account]")
{
    member& one = add("one");
    account* first = one.all.of(identity_of(1));
    REQUIRE(first != nullptr);
    CHECK_FALSE(first->leads());
    CHECK(one.led.empty());
    CHECK(first->who().lease_name() == "portitor-registrar-84532-0000000000000000000000000000000000000001");
    pass(0ms);
    CHECK(first->leads());
    CHECK(one.led == std::vector{identity_of(1)});
    CHECK(holder(*first) == "one");
    CHECK(annotation(*first).empty());
    CHECK(one.all.of(identity_of(1)) == first);

    // The same account on another chain has a Lease of its own.
    account* other = one.all.of(identity_of(1, 8453));
    REQUIRE(other != nullptr);
    CHECK(other != first);
    pass(1min);
    CHECK(one.led == std::vector{identity_of(1), identity_of(1, 8453)});
    CHECK(first->leads());
    CHECK(other->leads());
    CHECK_FALSE(one.stop.requested());
}

TEST_CASE_METHOD(account_world, "what is spent is written to the Lease", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    const bool has_metadata = GENERATE(false, true);
    if (has_metadata)
        leave_lease(ours.who(), R"(,"labels":{"team":"x"},"annotations":{"note":"kept"})");
    pass(0ms);
    REQUIRE(ours.leads());
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count(ours) == 1);
    CHECK(written(ours) == ours.spent());
    CHECK(
        annotation(ours) ==
        R"({"day":"2026-11-24","changes":{"shop":[1,"10"]},"retirements":{},"minedNonces":0})"
    );
    // What need not be written at once goes with the next one.
    ours.note([](ledger& of) { of.saw_mined(6); });
    CHECK(ours.spent().mined_nonces() == 7);
    CHECK(written(ours).mined_nonces() == 0);
    const auto looks = one.api.gets;
    REQUIRE(book(ours, "shop").has_value());
    CHECK(written(ours).mined_nonces() == 7);
    CHECK(count_written(ours) == 2);
    CHECK(one.api.gets == looks);

    // Renewals keep it, and what else is there.
    pass(1min);
    CHECK(ours.leads());
    CHECK(written(ours) == ours.spent());
    if (has_metadata)
    {
        CHECK(kube::string_at(lease(ours)->raw, "metadata.annotations.note") == "kept");
        CHECK(kube::string_at(lease(ours)->raw, "metadata.labels.team") == "x");
    }
}

TEST_CASE_METHOD(account_world, "writes and renewals do not hinder each other", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    for (std::uint32_t i = 1; i <= 60; ++i)
    {
        REQUIRE(book(ours, "shop").has_value());
        REQUIRE(count_written(ours) == i);
        pass(700ms);
        REQUIRE(ours.leads());
    }
    // Something else changes the Lease at each first try.
    int changes = 0;
    one.api.before_patch = [&] {
        if (++changes % 2 == 1)
            edit(
                ours,
                R"([{"op":"add","path":"/metadata/labels","value":{"a":")" + std::to_string(changes) +
                    R"("}}])"
            );
    };
    REQUIRE(book(ours, "shop").has_value());
    edit(ours, R"([{"op":"remove","path":"/metadata/annotations"}])");
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count_written(ours) == 62);
}

TEST_CASE_METHOD(account_world, "the next one counts on", "[registrar][account]")
{
    member& one = add("one");
    member& two = add("two");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    account& theirs = *two.all.of(identity_of(1));
    REQUIRE(book(ours, "shop").has_value());
    REQUIRE(book(ours, "games").has_value());
    pass(1min);
    CHECK_FALSE(theirs.leads());
    CHECK(two.led.empty());
    CHECK(update(theirs, booking("shop", wall.now())).error().code() == errc::conflict);
    CHECK(count(theirs) == 0);

    CHECK(release(one) < 1s);
    CHECK_FALSE(ours.leads());
    pass(5s);
    CHECK(theirs.leads());
    CHECK(two.led == std::vector{identity_of(1)});
    CHECK(theirs.spent() == ours.spent());
    REQUIRE(book(theirs, "shop").has_value());
    CHECK(count_written(theirs) == 3);
    CHECK_FALSE(one.stop.requested());
}

TEST_CASE_METHOD(account_world, "a process that lost the Lease cannot write", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    if (GENERATE(true, false))
        REQUIRE(book(ours, "shop").has_value());
    const ledger before = ours.spent();
    const std::string text = annotation(ours);

    SECTION("where another one has it, and it does not know yet")
    {
        edit(ours, R"([{"op":"replace","path":"/spec/holderIdentity","value":"two"}])");
        REQUIRE(ours.leads());
        const auto said = book(ours, "shop");
        REQUIRE_FALSE(said.has_value());
        CHECK(said.error().code() == errc::conflict);
        CHECK(ours.spent() == before);
        CHECK(annotation(ours) == text);
        pass(3s);
        CHECK_FALSE(ours.leads());
        CHECK(one.stop.exit_code() == 1);
        CHECK(book(ours, "shop").error().code() == errc::conflict);
        // It is another one's: it is not given back.
        release(one);
        CHECK(holder(ours) == "two");
    }
    SECTION("where its write arrives after another one has taken it")
    {
        one.api.patches_to_come = {fate::late};
        CHECK(book(ours, "shop").error().code() == errc::timed_out);
        one.api.cut_off = true;
        member& two = add("two");
        account& theirs = *two.all.of(identity_of(1));
        pass(30s);
        CHECK_FALSE(ours.leads());
        CHECK(one.stop.exit_code() == 1);
        REQUIRE(theirs.leads());
        CHECK(theirs.spent() == before);
        CHECK(one.api.deliver() == 0);
        CHECK(annotation(theirs) == text);
    }
}

TEST_CASE_METHOD(
    account_world, "a process that does not reach the Lease in time cannot write", "[registrar][account]"
)
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    if (GENERATE(true, false))
        REQUIRE(book(ours, "shop").has_value());
    const std::uint32_t before = count(ours);

    SECTION("as soon as the renew deadline is over")
    {
        one.api.silent = true;
        pass(9s);
        CHECK(ours.leads());
        pass(1s);
        CHECK_FALSE(ours.leads());
        const auto patches = one.api.patches;
        CHECK(book(ours, "shop").error().code() == errc::conflict);
        CHECK(one.api.patches == patches);
        CHECK(one.stop.exit_code() == 1);
    }
    SECTION("where the answer comes after the renew deadline")
    {
        one.api.cut_off = true;
        pass(8s);
        one.api.cut_off = false;
        // The renewals still fail; the write is under way when the time is over.
        one.api.before_patch = [&] {
            one.api.cut_off = true;
            time.advance(3s);
        };
        CHECK(book(ours, "shop").error().code() == errc::conflict);
        CHECK(count_written(ours) == before + 1);
        CHECK(count(ours) == count_written(ours));
    }
}

TEST_CASE_METHOD(
    account_world, "a ledger that cannot be read keeps the account from being used", "[registrar][account]"
)
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    leave_lease(ours.who(), R"(,"annotations":{"obol.org/spent":"{\"day\":\"yesterday\"}"})");
    pass(1min);
    CHECK_FALSE(ours.leads());
    CHECK(holder(ours) == "one");
    CHECK(one.led.empty());
    CHECK(book(ours, "shop").error().code() == errc::conflict);
    CHECK(annotation(ours) == R"({"day":"yesterday"})");

    edit(ours, R"([{"op":"remove","path":"/metadata/annotations/obol.org~1spent"}])");
    pass(2s);
    CHECK(ours.leads());
    CHECK(one.led == std::vector{identity_of(1)});
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count_written(ours) == 1);
    CHECK_FALSE(one.stop.requested());
}

TEST_CASE_METHOD(account_world, "while it leads, its own numbers count", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    REQUIRE(book(ours, "shop").has_value());
    REQUIRE(book(ours, "shop").has_value());
    SECTION("where somebody takes them off")
    {
        edit(ours, R"([{"op":"remove","path":"/metadata/annotations"}])");
    }
    SECTION("where somebody writes nonsense")
    {
        annotate(ours, "nonsense");
    }
    SECTION("where somebody lowers them")
    {
        annotate(
            ours, R"({"day":"2026-11-24","changes":{"shop":[1,"10"]},"retirements":{},"minedNonces":0})"
        );
    }
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count(ours) == 3);
    CHECK(written(ours) == ours.spent());

    // Higher ones count too.
    annotate(ours, R"({"day":"2026-11-24","changes":{"shop":[9,"90"]},"retirements":{},"minedNonces":70})");
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count_written(ours) == 10);
    CHECK(written(ours).mined_nonces() == 70);
}

TEST_CASE_METHOD(
    account_world, "a Lease that somebody deletes is made anew, with the numbers", "[registrar][account]"
)
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    REQUIRE(book(ours, "shop").has_value());
    server.storage().remove(sandbox::kind_id(kube::leases), {"portitor", ours.who().lease_name()});
    const auto said = book(ours, "shop");
    REQUIRE_FALSE(said.has_value());
    CHECK(said.error().code() == errc::not_found);
    CHECK(count(ours) == 1);
    pass(3s);
    REQUIRE(ours.leads());
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count_written(ours) == 2);
}
