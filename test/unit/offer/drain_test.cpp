#include "catch.hpp"
#include "offer/draft.hpp"
#include "offer/drain.hpp"
#include "offer/path_index.hpp"
#include "offer/place_claim.hpp"
#include "offer_world.hpp"

#include <portitor/core/saturating_time.hpp>

#include <array>
#include <random>

using namespace portitor;
using namespace portitor::offer;
using namespace std::chrono_literals;
using test::world;

namespace {

ending ending_at(clock::time_point begins, std::chrono::seconds grace, clock::time_point now)
{
    api::service_offer offer;
    offer.drain_at = begins;
    offer.drain_grace = grace;
    return ending_of(offer, now);
}

drain_stage planned_stage(const world& of)
{
    return make_draft(of.observation(), of.settings, of.now).ending.stage;
}

bool gives_up_place(const world& of)
{
    return !asks_for_place(of.observation(), of.settings, of.now);
}

/// Two offers on one path, and the controller's loop around them.
struct market
{
    std::array<world, 2> offers;  // the older one first
    path_index index;
    int published = 0;

    market()
    {
        for (std::size_t i = 0; i < offers.size(); ++i)
        {
            kube::object_ptr& offer = offers[i].offer;
            offer = test::changed(offer, "/metadata/name", i == 0 ? "\"older\"" : "\"younger\"");
            offer = test::changed(offer, "/metadata/uid", i == 0 ? "\"u0\"" : "\"u1\"");
            offer = test::changed(offer, "/spec/path", "\"/shared\"");
            offers[i].healthy();
        }
        offers[1].offer =
            test::changed(offers[1].offer, "/metadata/creationTimestamp", "\"2026-11-24T20:00:00Z\"");
    }

    /// Whether there was anything to do.
    bool look(world& one)
    {
        const record_ptr same = offer_record::read(*one.offer);
        index.update({same, same}, gives_up_place(one) ? std::nullopt : std::optional(same->where));
        one.seen.path_owner = index.owner_before(one.offer->meta.key());
        const plan done = one.step();
        published +=
            static_cast<int>(std::count_if(done.applies.begin(), done.applies.end(), [](const apply& each) {
                return each.kind == child_kind::http_route;
            }));
        return !done.empty();
    }

    void settle()
    {
        for (int round = 0; round < 30; ++round)
        {
            bool busy = false;
            for (world& each : offers)
                busy = look(each) || busy;
            if (!busy)
                return;
        }
        FAIL("the two go on for ever");
    }

    void set_time(clock::time_point now)
    {
        for (world& each : offers)
            each.now = now;
    }

    bool is_published(std::size_t which) const { return offers[which].seen.http_route != nullptr; }
};

}  // namespace

TEST_CASE(
    "at the ends of the clock an end is none, under way or over, as it is written", "[controller][drain]"
)
{
    constexpr auto first = clock::time_point::min();
    constexpr auto last = clock::time_point::max();
    const clock::time_point now = from_rfc3339("2026-11-24T20:00:00Z");
    const auto late = from_rfc3339("2261-12-31T00:00:00Z");
    CHECK(ending_at(late, 99999h, now).stage == drain_stage::none);
    CHECK(ending_at(late, 99999h, now).sold_until == last);
    CHECK(ending_at(late, 99999h, late).stage == drain_stage::draining);
    CHECK(ending_at(last, std::chrono::seconds::max(), now).stage == drain_stage::none);
    CHECK(ending_at(last, 0s, last - 1ns).stage == drain_stage::none);
    CHECK(ending_at(last, 0s, last).stage == drain_stage::drained);
    CHECK(ending_at(first, 0s, first).stage == drain_stage::drained);
    CHECK(ending_at(first, 0s, now).stage == drain_stage::drained);
    CHECK(ending_at(first, std::chrono::seconds::max(), now).stage == drain_stage::draining);
    CHECK(ending_at(clock::time_point(), 0s, now).stage == drain_stage::drained);
    CHECK(ending_at(clock::time_point(), 1h, clock::time_point() + 59min).stage == drain_stage::draining);
    CHECK(ending_at(now, 0s, now - 1ns).stage == drain_stage::none);
    CHECK(ending_at(now, 0s, now).stage == drain_stage::drained);
    CHECK(ending_of(api::service_offer(), now).stage == drain_stage::none);
    // When to look again stays a time to come.
    CHECK(ending_at(last, 0s, first).next_step > 2000000h);
    CHECK(ending_at(now, 1h, now - 90s).next_step == 90s);
    CHECK(ending_at(now, 1h, now).next_step == 1h);
    CHECK_FALSE(ending_at(now, 1h, now + 1h).next_step);
}

TEST_CASE(
    "a date that is out of reach withholds an offer, which then keeps nobody from its place",
    "[controller][drain]"
)
{
    for (const char* date :
         {"0001-01-01T00:00:00Z",
          "1677-09-21T00:12:43Z",
          "1969-12-31T23:59:59Z",
          "2200-01-01T00:00:00Z",
          "2261-12-31T00:00:00Z",
          "2262-04-11T23:47:16Z",
          "9999-12-31T23:59:59Z",
          "9999-12-31T23:59:59-23:59"})
    {
        CAPTURE(date);
        world all;
        all.sell();
        all.edit("/spec/drainAt", '"' + std::string(date) + '"');
        all.edit("/spec/drainGracePeriod", "\"87600h\"");
        all.settle();
        CHECK(all.verdict("PaymentGateReady") == "False/InvalidSpec");
        CHECK_THAT(
            all.condition("PaymentGateReady").message,
            Catch::Matchers::Contains("spec.drainAt must be a time from 1970")
        );
        CHECK_FALSE(all.seen.http_route);
        CHECK(gives_up_place(all));
    }
}

TEST_CASE("who has a place and who is published follow one reading of every end", "[controller][drain]")
{
    std::mt19937_64 random(20261127);
    const auto draw = [&](std::size_t below) { return std::size_t(random() % below); };
    const std::vector<std::string> dates{
        "0001-01-01T00:00:00Z",
        "1677-09-21T00:12:43Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        "2026-11-24T20:00:00Z",
        "2026-11-24t20:00:30z",
        "2026-11-24T22:00:00+02:00",
        "2026-11-24T19:00:00Z",
        "2199-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2261-12-31T00:00:00Z",
        "2262-04-11T23:47:16Z",
        "9999-12-31T23:59:59-23:59",
        "tomorrow"};
    const std::vector<std::string> graces{
        "", "0s", "1s", "30s", "1h", "87600h", "99999h", "99999h99999h99999h99999h99999h", "1d"};
    const std::vector<std::string> times{
        "1970-01-01T00:00:00Z",
        "2026-11-24T19:59:59Z",
        "2026-11-24T20:00:00Z",
        "2026-11-24T20:00:31Z",
        "2026-11-24T21:00:00Z",
        "2199-12-31T23:59:59Z",
        "2210-01-01T00:00:00Z",
        "2262-04-11T23:47:16Z"};
    int drained = 0;
    for (int round = 0; round < 40; ++round)
    {
        market all;
        for (int step = 0; step < 4; ++step)
        {
            all.set_time(
                saturating_add(from_rfc3339(times[draw(times.size())]), std::chrono::seconds(draw(3)))
            );
            world& edited = all.offers[draw(2)];
            edited.edit("/spec/drainAt", draw(5) == 0 ? "" : '"' + dates[draw(dates.size())] + '"');
            edited.edit("/spec/drainGracePeriod", '"' + graces[draw(graces.size())] + '"');
            INFO("round " << round << " step " << step);
            const int before = all.published;
            all.settle();
            REQUIRE_FALSE((all.is_published(0) && all.is_published(1)));
            REQUIRE(all.published - before <= 1);
            for (const world& each : all.offers)
            {
                const bool over = planned_stage(each) == drain_stage::drained;
                drained += over ? 1 : 0;
                const bool unreadable = each.verdict("PaymentGateReady") == "False/InvalidSpec";
                REQUIRE(gives_up_place(each) == (over || unreadable));
                REQUIRE((each.phase() == "Drained") == over);
            }
            const bool older_sells = planned_stage(all.offers[0]) != drain_stage::drained &&
                                     all.offers[0].verdict("PaymentGateReady") != "False/InvalidSpec";
            REQUIRE(all.is_published(0) == older_sells);
        }
    }
    CHECK(drained > 20);
}
