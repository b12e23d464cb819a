#include "account_world.hpp"

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::registrar::samples;

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
