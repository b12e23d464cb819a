#include "catch.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using test::world;

namespace {

bool told(const plan& out, std::string_view reason, std::string_view part)
{
    return std::any_of(out.notes.begin(), out.notes.end(), [&](const note& each) {
        return each.reason == reason && each.message.find(part) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("a child that somebody has deleted is made again, with an Event", "[controller][repair]")
{
    world all;
    all.sell();
    all.seen.http_route = nullptr;
    const plan made = all.look();
    REQUIRE(made.applies.size() == 1);
    CHECK_FALSE(made.applies[0].repair);
    CHECK_FALSE(told(made, "DriftRepaired", "HTTPRoute"));

    all.seen.lost[child_kind::http_route] = true;
    const plan again = all.look();
    REQUIRE(again.applies.size() == 1);
    CHECK(again.applies[0].repair);
    CHECK(told(again, "DriftRepaired", "HTTPRoute so-hello was deleted"));

    // Who keeps deleting it is answered as slowly as who keeps changing it.
    all.seen.repair_waits[child_kind::http_route] = std::chrono::milliseconds(700);
    const plan later = all.step();
    CHECK(later.applies.empty());
    CHECK(later.next_check == std::chrono::milliseconds(700));
    const auto conditions = kube::parse_conditions(all.offer->status());
    CHECK(kube::find_condition(conditions, "RoutePublished")->reason == "Disputed");
}

TEST_CASE("labels of ours that somebody took away are drift", "[controller][repair]")
{
    world all;
    all.sell();
    auto raw = all.seen.middleware->raw;
    raw["metadata"].as_object().erase("labels");
    all.seen.middleware = kube::parse_object(raw).value();
    CHECK(told(all.look(), "DriftRepaired", "Middleware x402-hello was changed"));
}

TEST_CASE("what we keep taking down ourselves comes back only so often", "[controller][repair]")
{
    world all;
    all.sell();
    all.seen.path_owner = "other/older";
    all.settle();
    REQUIRE_FALSE(all.seen.http_route);
    all.seen.path_owner.clear();

    // A child that comes back counts, one that is changed does not.
    all.seen.taken_down[child_kind::http_route] = true;
    const plan returns = all.look();
    REQUIRE(returns.applies.size() == 3);
    for (const apply& each : returns.applies)
    {
        CHECK(each.again == (each.kind == child_kind::http_route));
        CHECK_FALSE(each.repair);
    }
    CHECK_FALSE(told(returns, "DriftRepaired", "HTTPRoute"));

    all.seen.repair_waits[child_kind::http_route] = std::chrono::milliseconds(700);
    const plan waits = all.step();
    CHECK(waits.applies.size() == 2);
    CHECK(waits.next_check == std::chrono::milliseconds(700));
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/Flapping");
    CHECK(all.condition("RoutePublished").message.find("HTTPRoute so-hello was made and taken down") == 0);
    CHECK(all.look().empty());  // waiting costs no writes

    // What must not be sold is taken down at once, however often.
    all.edit("/spec/payment/network", "\"unknown\"");
    CHECK(all.look().removes.size() == 1);

    all.edit("/spec/payment/network", "\"base-sepolia\"");
    all.seen.repair_waits = {};
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("an HTTPRoute waits for its turn, and nothing else does", "[controller][window]")
{
    world all;
    all.healthy();
    all.seen.route_turn = std::chrono::milliseconds(1200);
    all.settle();
    CHECK(all.seen.payment_route);
    CHECK(all.seen.middleware);
    CHECK_FALSE(all.seen.http_route);
    const plan waits = all.look();
    CHECK(waits.route_in_line);
    CHECK(waits.next_check == std::chrono::milliseconds(1200));
    CHECK(waits.empty());  // waiting costs no writes
    CHECK(all.verdict("RoutePublished") == "Unknown/WaitingForGateway");
    CHECK(all.condition("RoutePublished").message.find("once Gateway traefik/") != std::string::npos);

    all.seen.route_turn = {};
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");

    // What somebody else has changed is put right at once, and what must not be sold is taken down at once.
    all.seen.route_turn = std::chrono::milliseconds(1200);
    CHECK(all.look().empty());
    const auto sold = all.seen.http_route;
    auto raw = sold->raw;
    raw["metadata"].as_object().erase("labels");
    all.seen.http_route = kube::parse_object(raw).value();
    const plan repair = all.look();
    CHECK_FALSE(repair.route_in_line);
    REQUIRE(repair.applies.size() == 1);
    CHECK(repair.applies[0].repair);
    all.seen.http_route = sold;
    all.edit("/spec/payment/network", "\"unknown\"");
    CHECK(all.look().removes.size() == 1);
}
