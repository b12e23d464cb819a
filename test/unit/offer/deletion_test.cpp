#include "catch.hpp"
#include "registration_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::confirmed;
using test::registering;
using test::state;
using test::warnings;
using test::world;

TEST_CASE("a deleted offer is taken down in order, and gone", "[controller][deletion]")
{
    world all;
    all.sell();
    all.mark_deleted();
    const plan first = all.step();
    REQUIRE(first.removes.size() == 1);
    CHECK(test::name_of(first.removes[0].kind) == "HTTPRoute");
    CHECK(first.removes[0].uid.starts_with("uid-"));
    CHECK(all.phase() == "Deleting");
    CHECK(all.verdict("RoutePublished") == "False/Deleting");
    CHECK(all.verdict("Ready") == "False/Deleting");
    CHECK_THAT(all.condition("Ready").message, Contains("HTTPRoute so-hello"));
    CHECK(first.next_check == std::chrono::minutes(5));
    CHECK(test::name_of(all.step().removes.at(0).kind) == "Middleware");
    CHECK(test::name_of(all.step().removes.at(0).kind) == "PaymentRoute");
    const plan last = all.step();
    CHECK(last.remove_finalizer);
    CHECK_FALSE(last.status);
    CHECK(last.removes.empty());
    CHECK_FALSE(all.offer);
}

TEST_CASE("the deletion waits for the registration's retirement", "[controller][deletion]")
{
    world all = confirmed();
    all.mark_deleted();
    all.step();
    CHECK(state(all) == "Retired");
    CHECK(all.seen.registration->meta.deleted);
    CHECK(all.seen.registration->meta.has_finalizer("obol.org/portitor"));
    all.settle();
    REQUIRE(all.offer);
    CHECK_FALSE(all.seen.payment_route);
    CHECK_THAT(all.condition("Ready").message, Contains("still there: the registration"));
    CHECK(all.look().next_check == std::chrono::minutes(5));

    all.now += std::chrono::minutes(4);
    all.registrar(R"({"phase": "Retired", "agentId": "7"})");
    const plan releases = all.step();
    REQUIRE(releases.releases.size() == 1);
    CHECK_FALSE(releases.releases[0].resource_version.empty());
    CHECK(warnings(releases).empty());
    all.settle();
    CHECK_FALSE(all.offer);
}

TEST_CASE("a registration that never reached the chain does not hold up a deletion", "[controller][deletion]")
{
    const std::string status = GENERATE(
        "{}",
        R"({"phase": "Pending"})",
        R"({"phase": "OffChainOnly"})",
        R"({"phase": "Failed", "errorMessage": "x"})"
    );
    world all = registering();
    all.sell();
    all.registrar(status);
    all.mark_deleted();
    all.settle();
    CHECK_FALSE(all.offer);
    CHECK_FALSE(all.seen.registration);
}

TEST_CASE("a transaction that may be out holds up a deletion", "[controller][deletion]")
{
    world all = registering();
    all.sell();
    all.registrar(R"({"phase": "Pending", "writeAhead": {"nonce": 4}})");
    all.mark_deleted();
    all.settle();
    CHECK(all.offer);
}

TEST_CASE("past the deadline the registration is let go with a warning", "[controller][deletion]")
{
    world all = confirmed();
    all.mark_deleted();
    all.settle();
    all.registrar(R"({"phase": "Failed", "agentId": "7", "txHash": "0xabc", "errorMessage": "no funds"})");
    all.settle();
    REQUIRE(all.offer);
    all.now += std::chrono::minutes(5);
    const plan lets_go = all.step();
    CHECK(lets_go.releases.size() == 1);
    CHECK_THAT(warnings(lets_go), Contains("agent \"7\", transaction \"0xabc\", last error: no funds"));
    CHECK_THAT(warnings(lets_go), Contains("base-sepolia"));
    CHECK(lets_go.notes.front().reason == "RegistrationLeftOnChain");
    all.settle();
    CHECK_FALSE(all.offer);
}

TEST_CASE("an offer deleted while Portitor was down has its time to retire", "[controller][deletion]")
{
    world all = confirmed();
    all.mark_deleted();
    all.now += std::chrono::hours(10);
    all.settle();
    REQUIRE(all.offer);
    CHECK_FALSE(all.seen.http_route);
    CHECK(state(all) == "Retired");
    CHECK(all.look().next_check == std::chrono::minutes(5));
    all.now += std::chrono::minutes(5);
    all.settle();
    CHECK_FALSE(all.offer);
}

TEST_CASE("children that the garbage collector took first are no trouble", "[controller][deletion]")
{
    world all = confirmed();
    all.mark_deleted();
    all.seen.http_route = all.seen.middleware = all.seen.payment_route = nullptr;
    all.seen.registration =
        changed(all.seen.registration, "/metadata/deletionTimestamp", R"("2026-11-24T20:00:00Z")");
    all.settle();
    CHECK(state(all) == "Retired");
    all.registrar(R"({"phase": "Retired"})");
    all.settle();
    CHECK_FALSE(all.offer);
}

TEST_CASE(
    "a child that somebody else's finalizer holds is waited for until the deadline", "[controller][deletion]"
)
{
    world all;
    all.sell();
    all.seen.http_route = changed(all.seen.http_route, "/metadata/finalizers", R"(["other.example/wait"])");
    all.mark_deleted();
    all.settle();
    REQUIRE(all.offer);
    CHECK(all.seen.payment_route);
    all.now += std::chrono::minutes(5);
    all.settle();
    CHECK_FALSE(all.offer);
    CHECK_FALSE(all.seen.payment_route);
}

TEST_CASE("a deleted offer whose spec cannot be read goes the same way", "[controller][deletion]")
{
    world all = confirmed();
    all.edit("/spec", "{}");
    all.mark_deleted();
    all.settle();
    CHECK(state(all) == "Retired");
    all.registrar(R"({"phase": "OffChainOnly"})");
    all.settle();
    CHECK_FALSE(all.offer);
}

TEST_CASE("a deleted offer without our finalizer is none of our business", "[controller][deletion]")
{
    world all;
    all.mark_deleted();
    const plan nothing = all.look();
    CHECK(nothing.empty());
    CHECK_FALSE(nothing.next_check);
}
