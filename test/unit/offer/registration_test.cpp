#include "catch.hpp"
#include "offer/plan.hpp"
#include "offer_world.hpp"

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::world;

namespace {

world registering()
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true})");
    return all;
}

// Sold, and registered as agent 7.
world confirmed()
{
    world all = registering();
    all.sell();
    all.registrar(R"({"phase": "Confirmed", "agentId": "7", "txHash": "0xabc"})");
    all.settle();
    return all;
}

std::string state(const world& all)
{
    return kube::string_at(all.seen.registration->spec(), "desiredState");
}

std::string warnings(const plan& all)
{
    std::string out;
    for (const note& each : all.notes)
        out += each.type == note::severity::warning ? each.message : "";
    return out;
}

}  // namespace

TEST_CASE("a registration is asked for once the offer is sold, and then kept", "[controller][registration]")
{
    world all = registering();
    all.settle();
    CHECK_FALSE(all.seen.registration);
    CHECK(all.verdict("Registered") == "Unknown/WaitingForRoute");
    all.sell();
    REQUIRE(all.seen.registration);
    CHECK(all.verdict("Registered") == "Unknown/Pending");
    CHECK(all.verdict("Ready") == "True/Ready");
    all.unhealthy(3);
    all.settle();
    CHECK(all.seen.registration);
    CHECK(state(all) == "Active");
    all.edit("/spec/payment/payTo", "\"0x1\"");
    all.settle();
    CHECK_FALSE(all.seen.http_route);
    CHECK(state(all) == "Active");
}

TEST_CASE("Registered tells the registrar's phase, and never holds up the sale", "[controller][registration]")
{
    struct row
    {
        const char* status;
        const char* verdict;
        const char* message;
    };
    const auto each = GENERATE(values<row>({
        {"{}", "Unknown/Pending", "has not taken it up"},
        {R"({"phase": "Pending"})", "Unknown/Pending", "see that it runs"},
        {R"({"phase": "Submitted", "txHash": "0xabc"})", "Unknown/Submitted", "0xabc"},
        {R"({"phase": "Confirmed", "agentId": "0", "txHash": "0xabc"})", "True/Confirmed", "as agent 0"},
        {R"({"phase": "Failed", "errorMessage": "no funds"})", "False/Failed", "no funds"},
        {R"({"phase": "OffChainOnly", "errorMessage": "no key"})", "True/OffChainOnly", "no key"},
        {R"({"phase": "Retired"})", "Unknown/Pending", "has not taken it up"},
        {R"({"phase": "OffChainOnly", "conditions": [{"type": "Registered", "status": "True", "reason": "NoKey",
            "message": "the operator gave no key"}]})",
         "True/OffChainOnly",
         "nothing is on chain: the operator gave no key;"},
        {R"({"phase": "Failed", "conditions": [{"type": "Registered", "status": "False", "reason": "IdentityTaken",
            "message": "an older\u202e request has agent 7"}]})",
         "False/IdentityTaken",
         "an older request has agent 7"},
        {R"({"phase": "Pending", "conditions": [{"type": "Registered", "status": "Unknown", "reason": "LowBalance",
            "message": "0x1 has 0.0001 ether"}]})",
         "Unknown/LowBalance",
         "0x1 has 0.0001 ether"},
        {R"({"phase": "Submitted", "txHash": "0xabc", "conditions": [{"type": "Registered", "status": "Unknown",
            "reason": "NodeUnreachable", "message": "no node answers"}]})",
         "Unknown/NodeUnreachable",
         "0xabc waits for its confirmations: no node answers"},
        {R"({"phase": "Confirmed", "agentId": "7", "conditions": [{"type": "Registered", "status": "True",
            "reason": "LimitReached", "message": "until tomorrow"}]})",
         "True/Confirmed",
         "as agent 7; its last change waits: until tomorrow"},
        {R"({"phase": "Failed", "errorMessage": "e", "conditions": [{"type": "Registered", "status": "False",
            "reason": "Made\nUp", "message": "m"}]})",
         "False/Failed",
         "failed: m;"},
    }));
    world all = registering();
    all.sell();
    all.registrar(each.status);
    all.settle();
    CHECK(all.verdict("Registered") == each.verdict);
    CHECK_THAT(all.condition("Registered").message, Contains(each.message));
    CHECK(all.verdict("Ready") == "True/Ready");
    CHECK(
        kube::string_at(all.offer->status(), "agentId") ==
        kube::string_at(all.seen.registration->status(), "agentId")
    );
}

TEST_CASE("what prevents a registration is told", "[controller][registration]")
{
    world all = registering();
    SECTION("no public URL")
    {
        all.settings.gateway.public_url.clear();
        all.sell();
        CHECK(all.verdict("Registered") == "False/NoPublicURL");
    }
    SECTION("a chain that the operator does not serve")
    {
        all.edit("/spec/registration/chain", "\"base\"");
        all.sell();
        CHECK(all.verdict("Registered") == "False/UnknownChain");
    }
    SECTION("no chain at all")
    {
        all.settings.lists.chains.entries.clear();
        all.sell();
        CHECK(all.verdict("Registered") == "True/OffChainOnly");
    }
    SECTION("somebody else's request")
    {
        all.sell();
        all.seen.registration = changed(
            all.seen.registration, "/metadata/ownerReferences", R"([{"uid": "x", "controller": true}])"
        );
        all.step();
        CHECK(all.verdict("Registered") == "False/NameTaken");
        CHECK(all.look().empty());
        CHECK(all.verdict("Ready") == "True/Ready");
        return;
    }
    CHECK_FALSE(all.seen.registration);
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("a chain is found by either of its names", "[controller][registration]")
{
    world all = registering();
    all.edit("/spec/registration/chain", "\"eip155:84532\"");
    all.sell();
    REQUIRE(all.seen.registration);
    CHECK(kube::string_at(all.seen.registration->spec(), "chain") == "base-sepolia");
}

TEST_CASE(
    "a registration that is no longer wanted is retired, let go and deleted", "[controller][registration]"
)
{
    world all = confirmed();
    CHECK(all.verdict("Registered") == "True/Confirmed");
    all.edit("/spec/registration/enabled", "false");
    all.settle();
    CHECK(state(all) == "Retired");
    CHECK_FALSE(all.seen.registration->meta.deleted);
    CHECK(all.verdict("Registered") == "Unknown/Retiring");
    CHECK(kube::string_at(all.seen.registration->spec(), "agentURI").ends_with("/offer-uid.json"));

    all.registrar(R"({"phase": "Failed", "agentId": "7", "txHash": "0xabc", "errorMessage": "no funds"})");
    all.settle();
    CHECK(all.verdict("Registered") == "False/RetirementFailed");
    CHECK(all.seen.registration);

    all.registrar(R"({"phase": "Retired", "agentId": "7"})");
    const plan deletes = all.step();
    CHECK(deletes.removes.size() == 1);
    const plan releases = all.step();
    CHECK(releases.releases.size() == 1);
    CHECK_FALSE(all.seen.registration);
    all.settle();
    CHECK(all.verdict("Registered") == "True/Disabled");
    CHECK(kube::string_at(all.offer->status(), "agentId").empty());
    CHECK(all.verdict("Ready") == "True/Ready");
}

TEST_CASE("a registration that is wanted again before it was retired goes on", "[controller][registration]")
{
    world all = confirmed();
    all.edit("/spec/registration/enabled", "false");
    all.settle();
    all.edit("/spec/registration/enabled", "true");
    all.settle();
    CHECK(state(all) == "Active");
    CHECK(all.verdict("Registered") == "True/Confirmed");
}

TEST_CASE(
    "a request deleted by hand is let go and made again, but not while a transaction is out",
    "[controller][registration]"
)
{
    world all = confirmed();
    const std::string uid = all.seen.registration->meta.uid;
    all.registrar(R"({"phase": "Submitted", "txHash": "0xabc", "writeAhead": {"nonce": 1}})");
    all.seen.registration =
        changed(all.seen.registration, "/metadata/deletionTimestamp", R"("2026-11-24T20:00:00Z")");
    all.settle();
    REQUIRE(all.seen.registration);
    CHECK(all.seen.registration->meta.uid == uid);
    all.registrar(R"({"phase": "Confirmed", "agentId": "7", "txHash": "0xabc"})");
    all.now += std::chrono::seconds(2);
    all.settle();
    REQUIRE(all.seen.registration);
    CHECK(all.seen.registration->meta.uid != uid);
    CHECK_FALSE(all.seen.registration->meta.deleted);
}

TEST_CASE("a request that is deleted a moment before its offer is retired", "[controller][registration]")
{
    world all = confirmed();
    all.seen.registration =
        changed(all.seen.registration, "/metadata/deletionTimestamp", '"' + to_rfc3339(all.now) + '"');
    const plan first = all.look();
    CHECK(first.releases.empty());
    CHECK(first.next_check == std::chrono::seconds(2));
    all.mark_deleted();
    all.settle();
    REQUIRE(all.seen.registration);
    CHECK(state(all) == "Retired");
}

TEST_CASE("a key that somebody put into a request is taken out", "[controller][registration]")
{
    world all = confirmed();
    all.seen.registration =
        changed(all.seen.registration, "/spec/privateKeySecret", R"({"name": "other", "key": "k"})");
    all.settle();
    CHECK_FALSE(all.seen.registration->spec().contains("privateKeySecret"));
}

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

TEST_CASE("a registration on another chain is retired there first", "[controller][registration]")
{
    world all = confirmed();
    all.settings.lists.chains.entries.push_back({"base", "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"});
    const std::string uid = all.seen.registration->meta.uid;
    all.edit("/spec/registration/chain", "\"base\"");
    all.settle();
    CHECK(state(all) == "Retired");
    CHECK(kube::string_at(all.seen.registration->spec(), "chain") == "base-sepolia");
    CHECK(all.verdict("Registered") == "Unknown/Retiring");
    all.registrar(R"({"phase": "Failed", "agentId": "7", "errorMessage": "no funds"})");
    all.settle();
    CHECK(all.verdict("Registered") == "False/RetirementFailed");
    all.registrar(R"({"phase": "Retired", "agentId": "7", "txHash": "0xabc"})");
    all.settle();
    all.admit();
    all.publish();
    all.settle();
    REQUIRE(all.seen.registration);
    CHECK(all.seen.registration->meta.uid != uid);
    CHECK(kube::string_at(all.seen.registration->spec(), "chain") == "base");
    CHECK(state(all) == "Active");
    CHECK(kube::string_at(all.offer->status(), "agentId").empty());
}

TEST_CASE("a registration that is not on chain yet just moves", "[controller][registration]")
{
    world all = registering();
    all.sell();
    all.settings.lists.chains.entries.push_back({"base", "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"});
    const std::string uid = all.seen.registration->meta.uid;
    all.edit("/spec/registration/chain", "\"base\"");
    all.settle();
    CHECK(all.seen.registration->meta.uid == uid);
    CHECK(kube::string_at(all.seen.registration->spec(), "chain") == "base");
    CHECK(state(all) == "Active");
}

TEST_CASE("another spelling of chain and registry is no other place", "[controller][registration]")
{
    world all = confirmed();
    all.settings.lists.chains.entries = {{"eip155:84532", "0x8004a818bfb912233c491871b3d84c89a494bd9e"}};
    all.settle();
    CHECK(state(all) == "Active");
    CHECK(kube::string_at(all.seen.registration->spec(), "chain") == "eip155:84532");
}

TEST_CASE("the agent that a seller names goes to the request", "[controller][registration]")
{
    world all = registering();
    all.edit("/spec/registration/agentId", "\"0\"");
    all.sell();
    CHECK(kube::string_at(all.seen.registration->spec(), "agentId") == "0");
    all.edit("/spec/registration/agentId", "\"8\"");
    all.settle();
    CHECK(kube::string_at(all.seen.registration->spec(), "agentId") == "8");
}
