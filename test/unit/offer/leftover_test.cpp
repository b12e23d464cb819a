#include "catch.hpp"
#include "offer/leftover.hpp"
#include "offer/registration_plan.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::world;

namespace {

// Sold, and registered as agent 7; then the offer is gone.
world left_over(const std::string& status = R"({"phase": "Confirmed", "agentId": "7", "txHash": "0xabc"})")
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true})");
    all.sell();
    all.registrar(status);
    all.settle();
    return all;
}

plan step(world& all, clock::time_point first_seen)
{
    const auto former = former_offer(*all.seen.registration, nullptr);
    REQUIRE(former.has_value());
    plan next = make_leftover_plan(*all.seen.registration, *former, first_seen, all.settings, all.now);
    all.carry_out(next);
    return next;
}

std::string state(const world& all)
{
    return kube::string_at(all.seen.registration->spec(), "desiredState");
}

}  // namespace

TEST_CASE("a request knows the offer that it was made for", "[controller][registration]")
{
    const world all = left_over();
    const kube::object_ptr request = all.seen.registration;
    const kube::object_identity self = all.offer->meta;
    const auto former = former_offer(*request, nullptr);
    REQUIRE(former.has_value());
    CHECK(former->ns == "shop");
    CHECK(former->name == "hello");
    CHECK(former->uid == "offer-uid");
    CHECK_FALSE(former_offer(*request, &self).has_value());
    kube::object_identity other = self;
    other.uid = "another";
    CHECK(former_offer(*request, &other)->uid == "offer-uid");

    // Without an owner, by its label.
    const kube::object_ptr unowned = changed(request, "/metadata/ownerReferences", "[]");
    CHECK(former_offer(*unowned, nullptr)->name == "hello");
    CHECK(former_offer(*unowned, nullptr)->uid.empty());
    CHECK_FALSE(former_offer(*unowned, &other).has_value());
    CHECK_FALSE(former_offer(*changed(unowned, "/metadata/labels", "{}"), nullptr).has_value());
    CHECK_FALSE(former_offer(*changed(unowned, "/metadata/name", "\"x\""), nullptr).has_value());
}

TEST_CASE("requests that are not ours are left alone", "[controller][registration]")
{
    const kube::object_ptr request = left_over().seen.registration;
    CHECK_FALSE(former_offer(*changed(request, "/metadata/finalizers", R"(["x.example/y"])"), nullptr));
    CHECK_FALSE(former_offer(*changed(request, "/spec/serviceOfferName", "\"hello\""), nullptr));
    CHECK_FALSE(former_offer(
        *changed(
            request,
            "/metadata/ownerReferences",
            R"([{"apiVersion": "v1", "kind": "Secret", "name": "s", "uid": "u", "controller": true}])"
        ),
        nullptr
    ));
}

TEST_CASE("a request without its offer is retired, and let go", "[controller][registration]")
{
    world all = left_over();
    const bool owned = GENERATE(true, false);
    if (!owned)
        all.seen.registration = changed(all.seen.registration, "/metadata/ownerReferences", "[]");
    const auto first = all.now;
    plan next = step(all, first);
    CHECK(next.applies.size() == 1);
    CHECK(next.removes.size() == 1);
    CHECK(state(all) == "Retired");
    REQUIRE(all.seen.registration->meta.deleted);
    CHECK(all.seen.registration->meta.has_finalizer("obol.org/portitor"));
    CHECK(kube::array_at(all.seen.registration->raw, "metadata.ownerReferences").size() == (owned ? 1 : 0));
    next = step(all, first);
    CHECK(next.empty());
    CHECK(next.next_check == std::chrono::minutes(5));
    all.registrar(R"({"phase": "Retired", "agentId": "7"})");
    next = step(all, first);
    CHECK(next.releases.size() == 1);
    CHECK(next.notes.empty());
    CHECK_FALSE(all.seen.registration);
}

TEST_CASE(
    "a request without its offer that never reached the chain goes at once", "[controller][registration]"
)
{
    world all = left_over(R"({"phase": "Pending"})");
    step(all, all.now);
    CHECK(step(all, all.now).releases.size() == 1);
    CHECK_FALSE(all.seen.registration);
}

TEST_CASE(
    "a request without its offer is let go at the deadline, and not before", "[controller][registration]"
)
{
    world all = left_over();
    all.seen.registration =
        changed(all.seen.registration, "/metadata/deletionTimestamp", R"("2026-11-24T12:00:00Z")");
    // Deleted long ago, while nobody could retire it.
    const auto first = all.now;
    CHECK(step(all, first).applies.size() == 1);
    all.now += std::chrono::seconds(299);
    CHECK(step(all, first).empty());
    all.now += std::chrono::seconds(1);
    const plan last = step(all, first);
    CHECK(last.releases.size() == 1);
    REQUIRE(last.notes.size() == 1);
    CHECK(last.notes.front().reason == "RegistrationLeftOnChain");
    CHECK_THAT(last.notes.front().message, Contains("agent \"7\""));
    CHECK_FALSE(all.seen.registration);
}

TEST_CASE("a new offer waits for the end of an earlier one's registration", "[controller][registration]")
{
    world all = left_over();
    all.offer = changed(all.offer, "/metadata/uid", "\"new-uid\"");
    all.step();
    CHECK(all.verdict("Registered") == "Unknown/Retiring");
    CHECK_THAT(all.condition("Registered").message, Contains("an earlier offer of this name"));
}
