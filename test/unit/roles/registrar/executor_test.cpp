#include "executor_world.hpp"

using namespace executor_samples;

TEST_CASE_METHOD(
    executor_world, "one key on two chains: what waits on one does not hold the other", "[registrar]"
)
{
    sepolia.mines = false;
    request("a", "base-sepolia");
    for (int i = 0; i < 3; ++i)
        attempt("a");
    CHECK(said("a") == "Submitted Unknown Submitted");
    restart();
    request("b", "base");
    attempt("a");
    attempt("b");
    sepolia.mines = true;
    go_on(6, {"a", "b"});
    CHECK(said("a") == "Confirmed True Confirmed");
    go_on(6, {"a", "b"});
    CHECK(said("b") == "Confirmed True Confirmed");
}

TEST_CASE_METHOD(
    executor_world, "a request that goes to another chain leaves its place in line", "[registrar]"
)
{
    sepolia.mines = false;
    base.mines = true;
    request("z", "base");
    attempt("z");  // base leads
    go_on(4, {"z"});
    CHECK(said("z") == "Confirmed True Confirmed");
    request("a", "base-sepolia");
    attempt("a");
    attempt("a");
    request("b", "base-sepolia");
    attempt("b");
    CHECK(said("b") == "Pending Unknown WaitingForTurn");
    patch(
        registration_request_resource,
        "b",
        R"([{"op":"replace","path":"/spec/chain","value":"base"},{"op":"replace","path":"/spec/registry","value":")" +
            base.registry + R"("}])"
    );
    base.step();
    go_on(4, {"z", "b"});
    request("c", "base-sepolia");
    attempt("c");
    sepolia.mines = true;
    go_on(8, {"a", "b", "c", "z"});
    CHECK(said("a") == "Confirmed True Confirmed");
    CHECK(said("b") == "Confirmed True Confirmed");
    CHECK(said("c") == "Confirmed True Confirmed");
}

TEST_CASE_METHOD(
    executor_world, "what is under way is followed, whatever the spec asks for by then", "[registrar]"
)
{
    sepolia.mines = false;
    request("a", "base-sepolia");
    attempt("a");
    attempt("a");
    CHECK(said("a") == "Submitted Unknown Submitted");
    patch(registration_request_resource, "a", R"([{"op":"add","path":"/spec/agentId","value":"7"}])");
    attempt("a");
    request("b", "base-sepolia");
    sepolia.mines = true;
    go_on(8, {"a", "b"});
    CHECK(said("b") == "Confirmed True Confirmed");
}

TEST_CASE_METHOD(executor_world, "what no node takes gives its nonce away", "[registrar]")
{
    sepolia.most_gas = 200'000;
    request("a", "base-sepolia");
    go_on(12, {"a"}, 30s);
    CHECK(said("a") == "Failed False Refused");
    // One transaction that does nothing was mined, and others go on.
    CHECK(sepolia.mined == 1);
    sepolia.most_gas = 300'000;
    request("b", "base-sepolia");
    go_on(3, {"b"});
    CHECK(said("b") == "Confirmed True Confirmed");
}

TEST_CASE_METHOD(
    executor_world, "a question that is never answered is asked less and less, and told", "[registrar]"
)
{
    sepolia.gas_refusal = "gas required exceeds allowance (16777216)";
    request("a", "base-sepolia");
    attempt("a");
    client.requests.clear();
    for (int i = 0; i < 100; ++i)
    {
        attempt("a");
        pass(1s);
    }
    CHECK(last != "again in 1000 ms");
    CHECK(said("a") != " ");
}

TEST_CASE_METHOD(executor_world, "nothing is sent before its record is written", "[registrar]")
{
    const unsigned status = GENERATE(403U, 409U, 422U, 500U);
    CAPTURE(status);
    request("a", "base-sepolia");
    api.refusal = kube::api_error(status, "", "not now", {});
    for (int i = 0; i < 3; ++i)
        attempt("a");
    CHECK(sepolia.asked["eth_sendRawTransaction"] == 0);
    // What was refused for certain has cost nothing of the day.
    CHECK((counted() == 0) == (status != 500));
    api.refusal.reset();
    go_on(3, {"a"});
    CHECK(said("a") == "Confirmed True Confirmed");
    CHECK(sepolia.mined == 1);
}

TEST_CASE_METHOD(executor_world, "nothing is sent while the served schema lacks a field", "[registrar]")
{
    running->served.request_lacks = "status.sentAt";
    request("a", "base-sepolia");
    go_on(3, {"a"});
    CHECK(sepolia.asked["eth_sendRawTransaction"] == 0);
    CHECK(said("a") == "Pending Unknown ForeignSchema");
    CHECK(counted() == 0);
    running->served = {};
    go_on(3, {"a"});
    CHECK(said("a") == "Confirmed True Confirmed");
    CHECK(sepolia.mined == 1);
}

TEST_CASE_METHOD(executor_world, "a record that nobody knows to be written is followed", "[registrar]")
{
    request("a", "base-sepolia");
    api.loses_answer = true;
    attempt("a");
    CHECK(last == "error no answer");
    CHECK(sepolia.asked["eth_sendRawTransaction"] == 0);
    if (GENERATE(false, true))
        restart();
    go_on(4, {"a"});
    CHECK(said("a") == "Confirmed True Confirmed");
    CHECK(sepolia.mined == 1);
}

TEST_CASE_METHOD(executor_world, "who has lost the account's Lease sends nothing more", "[registrar]")
{
    elects = true;
    restart();
    request("first", "base-sepolia");
    go_on(4, {"first"});
    REQUIRE(said("first") == "Confirmed True Confirmed");
    // Somebody else takes it while this one still believes that it leads.
    const account::identity who{sepolia.id, account_address};
    patch(
        kube::leases,
        who.lease_name(),
        R"([{"op":"replace","path":"/spec/holderIdentity","value":"another"}])"
    );
    REQUIRE(running->all_accounts.of(who)->leads());
    sepolia.asked.clear();
    request("a", "base-sepolia");
    attempt("a");
    CHECK(sepolia.asked["eth_estimateGas"] == 1);
    CHECK(sepolia.asked["eth_sendRawTransaction"] == 0);
    CHECK(said("a") == " ");
}
