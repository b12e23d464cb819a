#include "catch.hpp"
#include "offer/offer_selection.hpp"
#include "offer/place_claim.hpp"
#include "registration_world.hpp"

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::confirmed;
using test::state;
using test::warnings;
using test::world;

TEST_CASE(
    "an offer that is not selected any more is taken down in order, and let go", "[controller][selection]"
)
{
    world all;
    all.sell();
    all.selected = false;
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    CHECK(test::name_of(all.step().removes.at(0).kind) == "HTTPRoute");
    CHECK(all.verdict("RoutePublished") == "False/NotSelected");
    CHECK(all.verdict("Ready") == "False/NotSelected");
    CHECK_THAT(all.condition("Ready").message, Contains("still there: HTTPRoute so-hello"));
    // Its path is free as soon as it is not published, and not before.
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    CHECK(test::name_of(all.step().removes.at(0).kind) == "Middleware");
    CHECK(test::name_of(all.step().removes.at(0).kind) == "PaymentRoute");
    // However many words there were before, the last ones are written: nobody would come back for them.
    all.seen.words_wait = std::chrono::seconds(60);
    const plan last = all.step();
    CHECK(last.remove_finalizer);
    CHECK_THAT(all.condition("Ready").message, Contains("so it is taken down; give it back the labels"));
    CHECK(all.phase() == "Blocked");
    CHECK(all.offer->meta.finalizers.empty());
    CHECK(all.look().empty());
    CHECK_FALSE(all.look().ask.upstream);

    all.selected = true;
    all.sell();
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("the registration of one that is not selected is retired first", "[controller][selection]")
{
    world all = confirmed();
    all.selected = false;
    all.settle();
    CHECK(state(all) == "Retired");
    CHECK(all.offer->meta.has_finalizer("obol.org/portitor"));
    CHECK_FALSE(all.seen.payment_route);
    SECTION("in time")
    {
        all.registrar(R"({"phase": "Retired", "agentId": "7"})");
        const plan releases = all.step();
        CHECK(releases.releases.size() == 1);
        CHECK(warnings(releases).empty());
    }
    SECTION("or let go at the deadline")
    {
        CHECK(all.look().next_check == std::chrono::minutes(5));
        all.now += std::chrono::minutes(5);
        CHECK_THAT(warnings(all.step()), Contains("was not retired in time"));
    }
    all.settle();
    CHECK(all.offer->meta.finalizers.empty());
    CHECK_FALSE(all.seen.registration);
}

TEST_CASE("one that was never selected is left alone", "[controller][selection]")
{
    world all;
    all.selected = false;
    CHECK(all.look().empty());
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    all.mark_deleted();
    CHECK(all.look().empty());
}

TEST_CASE("one that is not selected can be deleted", "[controller][selection]")
{
    world all;
    all.sell();
    all.selected = false;
    all.step();
    all.mark_deleted();
    all.settle();
    CHECK_FALSE(all.offer);
    CHECK_FALSE(all.seen.payment_route);
}

TEST_CASE("an offer that is withheld asks for no place once it is not published", "[controller][conflicts]")
{
    world all;
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.sell();
    // Who has the place by somebody else's word is another question.
    all.seen.path_owner = "shop/older";
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.seen.path_owner.clear();
    all.edit("/spec/payment/facilitator", "\"unheard\"");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.settle();
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
    all.edit("/spec/payment/facilitator", "\"own\"");
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    // What is deleted keeps it no longer than it is published, whatever else is waited for.
    all.sell();
    all.mark_deleted();
    CHECK(asks_for_place(all.observation(), all.settings, all.now));
    all.step();
    CHECK_FALSE(asks_for_place(all.observation(), all.settings, all.now));
}

TEST_CASE("offers are selected by their labels", "[controller][selection]")
{
    const auto read = [](const std::string& selector, const std::string& labels) {
        auto raw = boost::json::parse(R"({"metadata": {"name": "a", "namespace": "shop", "uid": "u",
            "labels": )" + labels + R"(}, "spec": {}})");
        return offer_selection::parse(selector).value().decoder()(std::move(raw.as_object())).value();
    };
    CHECK(read("", "{}")->selected);
    CHECK(read("sell=yes", R"({"sell": "yes"})")->selected);
    CHECK_FALSE(read("sell=yes", R"({"sell": "no"})")->selected);
    CHECK_FALSE(read("sell", "{}")->selected);
    CHECK(read("sell notin (no)", "{}")->selected);
    CHECK_FALSE(read("sell", "{}")->is_ours());
    CHECK(offer_selection::parse("sell in (").has_error());
    // What cannot be read is not taken for what is not selected.
    const auto stand_in = offer_selection::parse("sell=yes").value().stand_in();
    CHECK(stand_in({"shop", "a", "u", "1", 1}, {}, "it is too large")->selected);
}
