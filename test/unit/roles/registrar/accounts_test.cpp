#include "account_world.hpp"

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::registrar::samples;

TEST_CASE_METHOD(account_world, "without an election an account is led at once", "[registrar][account]")
{
    member& one = add("one");
    one.elects = false;
    account& ours = *one.all.of(identity_of(1));
    CHECK(ours.leads());
    // Whoever asks for it has it before.
    CHECK(one.led.empty());
    pass(0ms);
    CHECK(one.led == std::vector{identity_of(1)});
    REQUIRE(book(ours, "shop").has_value());
    ours.note([](ledger& of) { of.saw_mined(3); });
    CHECK(count(ours) == 1);
    CHECK(ours.spent().mined_nonces() == 4);
    CHECK(one.api.gets == 0);
    CHECK(one.api.patches == 0);
    CHECK(lease(ours) == nullptr);
    CHECK(release(one) == 0ms);
    CHECK_FALSE(ours.leads());
    CHECK_FALSE(one.stop.requested());
}

TEST_CASE_METHOD(account_world, "no more accounts than it can hold the Leases of", "[registrar][account]")
{
    member& one = add("one");
    one.elects = false;
    for (std::size_t i = 0; i < accounts::most_accounts; ++i)
        REQUIRE(one.all.of(identity_of(1, i)) != nullptr);
    CHECK(one.all.of(identity_of(2)) == nullptr);
    CHECK(one.all.of(identity_of(1, 7)) != nullptr);
    CHECK(one.all.size() == accounts::most_accounts);
}

TEST_CASE_METHOD(account_world, "at the end all Leases are given back side by side", "[registrar][account]")
{
    member& one = add("one");
    std::vector<account*> all;
    for (std::uint8_t i = 1; i <= 5; ++i)
        all.push_back(one.all.of(identity_of(i)));
    pass(10s);
    for (const account* each : all)
        REQUIRE(holder(*each) == "one");
    SECTION("when the server answers")
    {
        CHECK(release(one) < 1s);
        for (const account* each : all)
        {
            CHECK(holder(*each).empty());
            CHECK_FALSE(each->leads());
        }
        // Nothing takes them back.
        pass(1min);
        CHECK(holder(*all[0]).empty());
    }
    SECTION("when it does not")
    {
        one.api.silent = true;
        const auto took = release(one);
        CHECK(took >= 5s);
        CHECK(took < 6s);
        one.api.silent = false;
    }
    CHECK_FALSE(one.stop.requested());
}

TEST_CASE_METHOD(
    account_world, "one lost Lease ends the process, the others are given back", "[registrar][account]"
)
{
    member& one = add("one");
    account& lost = *one.all.of(identity_of(1));
    account& kept = *one.all.of(identity_of(2));
    pass(1s);
    edit(lost, R"([{"op":"replace","path":"/spec/holderIdentity","value":"two"}])");
    pass(5s);
    CHECK(one.stop.requested());
    CHECK(one.stop.exit_code() == 1);
    CHECK_FALSE(lost.leads());
    CHECK(kept.leads());
    release(one);
    CHECK(holder(lost) == "two");
    CHECK(holder(kept).empty());
}

TEST_CASE_METHOD(account_world, "an account that is waited for is let go at the end", "[registrar][account]")
{
    member& one = add("one");
    one.all.of(identity_of(1));
    pass(0ms);
    member& two = add("two");
    account& theirs = *two.all.of(identity_of(1));
    pass(30s);
    REQUIRE_FALSE(theirs.leads());
    CHECK(release(two) < 1s);
    CHECK(holder(theirs) == "one");
    pass(30s);
    CHECK(two.led.empty());
}

TEST_CASE_METHOD(
    account_world, "an account is not led while the ledger cannot be asked for", "[registrar][account]"
)
{
    member& one = add("one");
    account& ours = *one.all.of(identity_of(1));
    // The Lease is created; from then on nothing is reached.
    while (!lease(ours))
    {
        context.restart();
        context.run_one();
    }
    one.api.cut_off = true;
    pass(5s);
    CHECK_FALSE(ours.leads());
    CHECK(one.led.empty());
    one.api.cut_off = false;
    pass(2s);
    CHECK(ours.leads());
    CHECK(one.led.size() == 1);
}
