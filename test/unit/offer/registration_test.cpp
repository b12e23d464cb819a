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

TEST_CASE(
    "a request that another's schema has cut is made whole again, and not retired",
    "[controller][registration]"
)
{
    // The predecessor's knows chain and desiredState alone; a write of anything has stored that.
    world all = confirmed();
    boost::json::object cut = all.seen.registration->raw;
    cut["spec"] = {{"chain", "base-sepolia"}, {"desiredState", "Active"}};
    const auto whole = all.seen.registration;
    all.seen.registration = kube::parse_object(std::move(cut)).value();
    all.seen.served.request_lacks = "spec.name";
    all.settle();
    CHECK(state(all) == "Active");
    CHECK_FALSE(all.seen.registration->spec().contains("registry"));
    CHECK(all.verdict("Registered") == "False/ForeignSchema");
    all.seen.served.request_lacks.clear();
    all.settle();
    CHECK(all.seen.registration->spec() == whole->spec());
    CHECK(all.verdict("Registered") == "True/Confirmed");
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
