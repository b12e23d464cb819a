#include "../../offer/offer_world.hpp"
#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "roles/controller/gate_trials.hpp"

#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::controller;
using namespace std::chrono_literals;
using portitor::test::manual_timekeeper;
using portitor::test::world;

namespace {

class still_clock final : public clock
{
public:
    time_point now() const override { return from_rfc3339("2026-11-24T20:00:00Z"); }
};

struct fixture
{
    manual_timekeeper time;
    still_clock wall;
    gate_trials trials{time, wall};
    world all;
    offer::gate_proof proof;

    explicit fixture(const std::string& told = "2026-11-24T20:00:00Z", const std::string& reason = "GateOpen")
    {
        all.offer = test::changed(
            all.offer,
            "/status",
            R"({"conditions": [{"type": "RoutePublished", "status": "False", "observedGeneration": 1, "reason": ")" +
                reason + R"(", "lastTransitionTime": ")" + told + R"("}]})"
        );
    }

    offer::observation look()
    {
        offer::observation seen = all.observation();
        seen.proof = proof;
        trials.recall(seen);
        return seen;
    }
    bool is_on() { return !look().trial.empty(); }
    /// The trial that is on finds the gate open.
    void stays_open()
    {
        proof.said = offer::gate_proof::verdict::open;
        CHECK_FALSE(is_on());
        proof = {};
    }
};

}  // namespace

TEST_CASE("a gate that was open is tried after five minutes, then later each time", "[controller][proof]")
{
    fixture f;
    for (const auto wait : {5min, 10min, 20min, 40min, 60min, 60min})
    {
        CHECK(f.look().next_trial == wait);
        f.time.advance(wait - 1ms);
        CHECK_FALSE(f.is_on());
        f.time.advance(1ms);
        const auto now = f.look();
        CHECK(now.trial.size() == 32);
        CHECK_FALSE(now.next_trial);
        // It goes on, with the same path, until there is an answer.
        f.time.advance(1h);
        CHECK(f.look().trial == now.trial);
        f.stays_open();
    }
}

TEST_CASE("the time before this process counts", "[controller][proof]")
{
    CHECK(fixture("2026-11-24T19:57:00Z").look().next_trial == 2min);
    CHECK(fixture("2026-11-24T10:00:00Z").is_on());
    CHECK(fixture("2030-01-01T00:00:00Z").look().next_trial == 5min);
}

TEST_CASE("a change is a reason to try, but not twice in half a minute", "[controller][proof]")
{
    fixture f;
    CHECK_FALSE(f.is_on());
    CHECK(f.trials.note_change() == std::vector{f.all.offer->meta.key()});
    CHECK(f.is_on());
    // What is on already is not begun again.
    CHECK(f.trials.note_change().empty());
    f.stays_open();
    CHECK(f.trials.note_change().size() == 1);
    CHECK(f.look().next_trial == 30s);
    CHECK(f.trials.note_change().empty());
    f.time.advance(30s);
    CHECK(f.is_on());
}

TEST_CASE("another spec is a reason to try at once", "[controller][proof]")
{
    fixture f;
    CHECK_FALSE(f.is_on());
    f.all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    CHECK(f.is_on());
}

TEST_CASE("other offers are not tried", "[controller][proof]")
{
    fixture f("2026-11-24T10:00:00Z", "Published");
    CHECK_FALSE(f.is_on());
    CHECK_FALSE(f.look().next_trial);
    CHECK(f.trials.note_change().empty());
}
