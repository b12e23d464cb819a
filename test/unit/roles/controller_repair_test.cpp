#include "catch.hpp"
#include "controller_world.hpp"

using namespace portitor;
using namespace portitor::controller;
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

    all.seen.lost = {"httproutes"};
    const plan again = all.look();
    REQUIRE(again.applies.size() == 1);
    CHECK(again.applies[0].repair);
    CHECK(told(again, "DriftRepaired", "HTTPRoute so-hello was deleted"));

    // Who keeps deleting it is answered as slowly as who keeps changing it.
    all.seen.repair_waits["httproutes"] = std::chrono::milliseconds(700);
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
