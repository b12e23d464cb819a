#include "catch.hpp"
#include "offer/gate_trial.hpp"
#include "offer/place_claim.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::world;

namespace {

world asked_at_gateway()
{
    world all;
    all.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    all.seen.proof.said = gate_proof::verdict::proved;
    all.sell();
    return all;
}

void see_open(world& all)
{
    all.seen.proof.said = gate_proof::verdict::open;
    all.seen.proof.failure = "HTTP 200, which the gate did not say";
}

// Seen open, told, and taken down.
world open_gate()
{
    world all = asked_at_gateway();
    see_open(all);
    all.settle();
    all.seen.proof = {};
    return all;
}

std::string match_of(const world& all)
{
    return boost::json::serialize(all.seen.http_route->spec().at("rules").at(0).at("matches").at(0));
}

}  // namespace

TEST_CASE("an open gate takes the route down at once and says so", "[controller][proof]")
{
    world all = asked_at_gateway();
    REQUIRE(all.verdict("Ready") == "True/Ready");
    see_open(all);
    const plan step = all.look();
    REQUIRE(step.removes.size() == 1);
    CHECK(test::name_of(step.removes.front().kind) == "HTTPRoute");
    CHECK(step.ask.keep_gate_answer);
    all.settle();
    CHECK_FALSE(all.seen.http_route);
    CHECK(all.verdict("RoutePublished") == "False/GateOpen");
    CHECK(all.verdict("Ready") == "False/GateOpen");
    CHECK(all.phase() == "Blocked");
    CHECK_FALSE(all.look().ask.keep_gate_answer);
    CHECK_FALSE(all.look().ask.gate);
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));

    // Nobody forgets it: not a restart, not another spec.
    all.seen.proof = {};
    CHECK(all.look().empty());
    CHECK_THAT(all.condition("RoutePublished").message, Contains("HTTP 200"));
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/GateOpen");
    CHECK_FALSE(all.seen.http_route);
}

TEST_CASE("a gate that was open is tried on a path of its own, and then published", "[controller][proof]")
{
    world all = open_gate();
    all.seen.trial = "0123abcd";
    all.settle();
    REQUIRE(all.seen.http_route);
    CHECK(match_of(all) == R"({"path":{"type":"Exact","value":"/services/hello/0123abcd"}})");
    const auto& filters = all.seen.http_route->spec().at("rules").at(0).at("filters").as_array();
    CHECK(
        boost::json::serialize(filters.at(0)) ==
        R"({"type":"ExtensionRef","extensionRef":{"group":"traefik.io","kind":"Middleware","name":"x402-hello"}})"
    );
    CHECK(
        boost::json::serialize(filters.at(1)) ==
        R"({"type":"URLRewrite","urlRewrite":{"path":{"type":"ReplaceFullPath","replaceFullPath":"/"}}})"
    );
    CHECK(is_trial_route(*all.seen.http_route));
    CHECK(all.verdict("RoutePublished") == "False/GateOpen");
    CHECK(all.look().ask.gate.value().url == "http://traefik.traefik.svc/services/hello/0123abcd");
    // That path is no place that anybody else might want.
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));

    SECTION("it refuses")
    {
        all.seen.proof.said = gate_proof::verdict::proved;
        CHECK(asks_for_place(all.observation(), all.settings, all.now));
        all.step();
        CHECK(match_of(all) == R"({"path":{"type":"PathPrefix","value":"/services/hello"}})");
        CHECK(all.verdict("RoutePublished") != "False/GateOpen");
        all.seen.proof = {};
        all.seen.trial.clear();
        all.sell();
        CHECK(all.verdict("RoutePublished") == "Unknown/ProvingGate");
        all.seen.proof.said = gate_proof::verdict::proved;
        all.settle();
        CHECK(all.verdict("Ready") == "True/Ready");
    }
    SECTION("it is still open")
    {
        see_open(all);
        all.seen.trial.clear();
        all.settle();
        CHECK_FALSE(all.seen.http_route);
        CHECK(all.verdict("RoutePublished") == "False/GateOpen");
    }
    SECTION("nothing is known yet")
    {
        CHECK(all.look().empty());
        all.seen.proof.said = gate_proof::verdict::not_proved;
        CHECK(all.look().empty());
    }
    SECTION("it is deleted meanwhile")
    {
        all.mark_deleted();
        all.settle();
        CHECK_FALSE(all.offer);
        CHECK_FALSE(all.seen.http_route);
    }
}

TEST_CASE("a proof of the whole route is none of the trial", "[controller][proof]")
{
    world all = open_gate();
    all.seen.trial = "0123abcd";
    all.seen.proof.said = gate_proof::verdict::proved;
    all.step();
    CHECK(is_trial_route(*all.seen.http_route));
}

TEST_CASE("where only one certain path is paid, a trial has its own query", "[controller][proof]")
{
    world all = open_gate();
    all.edit("/spec/routes", R"([{"path": "/*", "gate": "free"}, {"path": "/report", "gate": "paid"}])");
    all.seen.trial = "0123abcd";
    all.settle();
    CHECK(
        match_of(all) == R"({"path":{"type":"Exact","value":"/services/hello/report"},)"
                         R"("queryParams":[{"type":"Exact","name":"proof","value":"0123abcd"}]})"
    );
    CHECK(
        all.look().ask.gate.value().url == "http://traefik.traefik.svc/services/hello/report?proof=0123abcd"
    );
}

TEST_CASE("an open gate is over where there is nothing to prove any more", "[controller][proof]")
{
    world all = open_gate();
    SECTION("nobody can ask")
    {
        all.settings.gateway.gateway_url.clear();
    }
    SECTION("all is free")
    {
        all.edit("/spec/routes", R"([{"path": "/*", "gate": "free"}, {"path": "/", "gate": "free"}])");
    }
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("a route of somebody else that answers is named, and takes nothing down", "[controller][proof]")
{
    world all = asked_at_gateway();
    all.seen.proof = {
        gate_proof::verdict::elsewhere,
        "HTTP 200, which the gate did not say",
        "HTTPRoute bob/trick, spec.rules[0] (PathPrefix /services/hello)"};
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/ForeignRoute");
    CHECK_THAT(all.condition("RoutePublished").message, Contains("HTTPRoute bob/trick, spec.rules[0]"));
    CHECK(all.seen.http_route);
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    // Nor does a restart.
    all.seen.proof = {};
    CHECK(all.look().empty());
    all.seen.proof.said = gate_proof::verdict::proved;
    all.settle();
    CHECK(all.verdict("Ready") == "True/Ready");
}
