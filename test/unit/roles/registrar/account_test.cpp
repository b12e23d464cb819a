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
    SECTION("where nothing is answered, as soon as the renew deadline is over")
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
        CHECK(count_written(ours) == before.transactions(wall.now()) + 1);
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

TEST_CASE_METHOD(account_world, "a write of which nobody knows whether it arrived", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    if (GENERATE(true, false))
        REQUIRE(book(ours, "shop").has_value());
    const std::uint32_t before = count(ours);

    SECTION("it did")
    {
        one.api.patches_to_come = {fate::lost_answer};
        CHECK(book(ours, "shop").error().code() == errc::timed_out);
        CHECK(count(ours) == before + 1);
        CHECK(count_written(ours) == before + 1);
        ours.note([](ledger& of) { of.saw_mined(3); });
        REQUIRE(book(ours, "shop").has_value());
        CHECK(count(ours) == before + 2);
    }
    SECTION("it did not, and never will")
    {
        const fate what = GENERATE(fate::not_reached, fate::server_failed, fate::late);
        one.api.patches_to_come = {what, what, what};
        for (int i = 0; i < 3; ++i)
        {
            CHECK_FALSE(book(ours, "shop").has_value());
            // Reserved, but once.
            CHECK(count(ours) == before + 1);
        }
        ours.note([](ledger& of) { of.saw_mined(3); });
        REQUIRE(book(ours, "games").has_value());
        CHECK(count(ours) == before + 1);
        const std::string text = annotation(ours);
        CHECK(one.api.deliver() == 0);
        CHECK(annotation(ours) == text);
    }
    SECTION("it does when it was looked already")
    {
        one.api.patches_to_come = {fate::late};
        CHECK(book(ours, "shop").error().code() == errc::timed_out);
        std::uint32_t arrived = 0;
        one.api.before_patch = [&] { arrived += static_cast<std::uint32_t>(one.api.deliver()); };
        ours.note([](ledger& of) { of.saw_mined(3); });
        REQUIRE(book(ours, "shop").has_value());
        // The first write of all is tested by the version, and the Lease has been renewed since.
        CHECK(arrived == (before == 0 ? 0 : 1));
        CHECK(count(ours) == before + 1 + arrived);
    }
    CHECK(ours.spent().mined_nonces() == 4);
    CHECK(written(ours) == ours.spent());
    CHECK(ours.leads());
}

TEST_CASE_METHOD(
    account_world, "what was given back counts only once that is written", "[registrar][account]"
)
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    REQUIRE(book(ours, "shop").has_value());
    const auto give_back = [now = wall.now()](ledger& of) { of.give_back("shop", purpose::change, 4, now); };
    one.api.patches_to_come = {fate::late};
    CHECK_FALSE(update(ours, give_back).has_value());
    CHECK(ours.spent().spent(wall.now()) == 10);
    REQUIRE(update(ours, give_back).has_value());
    CHECK(ours.spent().spent(wall.now()) == 6);
    CHECK(written(ours) == ours.spent());
}

TEST_CASE_METHOD(account_world, "a write that is refused changes nothing", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    REQUIRE(book(ours, "shop").has_value());
    const ledger before = ours.spent();
    SECTION("for want of rights")
    {
        one.api.patches_to_come = {fate::forbidden};
        const auto said = book(ours, "shop");
        REQUIRE_FALSE(said.has_value());
        CHECK(said.error().code() == errc::refused);
        CHECK(said.error().message().find("may not patch") != std::string::npos);
    }
    SECTION("by who takes annotations off")
    {
        one.api.patches_to_come = {fate::stripped};
        const auto said = book(ours, "shop");
        REQUIRE_FALSE(said.has_value());
        CHECK(said.error().code() == errc::protocol);
    }
    SECTION("as too many use it")
    {
        const auto all = [now = wall.now()](ledger& of) {
            for (int i = 0; i < 3000; ++i)
                of.book(fmt::format("{:0>63}", i), purpose::change, 1, now);
        };
        const auto said = update(ours, all);
        REQUIRE_FALSE(said.has_value());
        CHECK(said.error().code() == errc::refused);
        CHECK(one.api.patches == 1);
    }
    CHECK(ours.spent() == before);
    REQUIRE(book(ours, "shop").has_value());
    CHECK(count_written(ours) == 2);
}

TEST_CASE_METHOD(account_world, "writes go one after the other", "[registrar][account]")
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    pass(0ms);
    std::size_t done = 0;
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(
            context,
            ours.update(booking("shop", wall.now())),
            [&](const std::exception_ptr& thrown, const result<void>& said) {
                done += !thrown && said ? 1 : 0;
            }
        );
    // One that is canceled while it waits keeps nobody else from going on.
    task_group canceled(context.get_executor(), logger(member::level, log_format::text));
    const auto late = [](account& of, std::function<void(ledger&)> change) -> asio::awaitable<void> {
        co_await of.update(std::move(change));
    };
    canceled.spawn("update", late(ours, booking("games", wall.now())));
    context.restart();
    context.run_one();
    canceled.cancel();
    pass(0ms);
    CHECK(done == 10);
    CHECK(count(ours) == 10);
    CHECK(count_written(ours) == 10);
    CHECK(one.api.patches == 10);
    CHECK(canceled.size() == 0);
}
