#include "../../api/objects.hpp"
#include "catch.hpp"
#include "roles/registrar/verdict.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::registrar;
using api::registration_phase;
using test::changed;
using test::object_from;

namespace {

const auto now = from_rfc3339("2026-11-24T20:00:00Z");

kube::object_ptr fresh()
{
    return object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "RegistrationRequest",
        "metadata": {"name": "hello-registration", "namespace": "shop", "uid": "u9", "generation": 3},
        "spec": {
            "name": "Hello", "chain": "base-sepolia", "registry": "0x8004A818BFB912233c491871b3d84c89A494BD9e",
            "agentURI": "https://api.example.com/.well-known/agent-registration/u1.json", "desiredState": "Active"
        }
    })");
}

kube::object_ptr retired(const kube::object_ptr& from)
{
    return changed(from, "/spec/desiredState", "\"Retired\"");
}

std::optional<verdict> judge(const kube::object_ptr& live)
{
    return judge_without_chain(
        api::parse_registration_request(*live).value(), api::read_registration_state(*live), *live
    );
}

// The object as it is once the verdict is in its status.
kube::object_ptr told(const kube::object_ptr& live, const verdict& said)
{
    boost::json::object raw = live->raw;
    raw["status"] = status_of(*live, said, now);
    return kube::parse_object(std::move(raw)).value();
}

}  // namespace

TEST_CASE("without a chain a request ends off chain, with a reason", "[registrar]")
{
    const auto said = judge(fresh());
    REQUIRE(said);
    CHECK(said->phase == registration_phase::off_chain_only);
    CHECK(said->reason == "NoChain");
    CHECK_THAT(said->message, Catch::Matchers::Contains("base-sepolia"));
}

TEST_CASE("a request that never reached a chain is retired at once", "[registrar]")
{
    const auto off_chain = told(fresh(), *judge(fresh()));
    for (const auto& live : {retired(fresh()), retired(off_chain)})
    {
        const auto said = judge(live);
        REQUIRE(said);
        CHECK(said->phase == registration_phase::retired);
        CHECK(said->reason == "Retired");
        CHECK_THAT(said->message, Catch::Matchers::Contains("nothing to take back"));
    }
}

TEST_CASE("what may be on chain is neither forgotten nor retired without it", "[registrar]")
{
    struct touched
    {
        const char* pointer;
        const char* value;
    };
    // Agent 0 is an agent like any other.
    const auto row = GENERATE(values<touched>({
        {"/status/agentId", "\"7\""},
        {"/status/agentId", "\"0\""},
        {"/status/txHash", "\"0xabc\""},
        {"/status/writeAhead", R"({"operation": "register", "nonce": 1})"},
    }));
    const auto live = changed(changed(fresh(), "/status/phase", "\"Confirmed\""), row.pointer, row.value);
    INFO(row.pointer << " " << row.value);
    CHECK_FALSE(judge(live));

    const auto said = judge(retired(live));
    REQUIRE(said);
    CHECK(said->phase == registration_phase::failed);
    CHECK(said->reason == "NoChain");
    CHECK_THAT(said->message, Catch::Matchers::Contains("base-sepolia"));

    // What was on chain stays known, also through the status of the failure.
    const auto after = told(retired(live), *said);
    CHECK(api::read_registration_state(*after).phase == registration_phase::failed);
    CHECK(api::read_registration_state(*after).agent_id == api::read_registration_state(*live).agent_id);
    CHECK(api::read_registration_state(*after).tx_hash == api::read_registration_state(*live).tx_hash);
    CHECK(kube::parse_conditions(after->status()).at(0).status == "False");
}

TEST_CASE("a verdict that the status holds is not written again", "[registrar]")
{
    const auto live = told(fresh(), *judge(fresh()));
    CHECK_FALSE(judge(live));
    const auto gone = told(retired(live), *judge(retired(live)));
    CHECK_FALSE(judge(gone));
    const auto on_chain = retired(changed(fresh(), "/status/agentId", "\"7\""));
    CHECK_FALSE(judge(told(on_chain, *judge(on_chain))));
}

TEST_CASE("a verdict is written again when it is another one or about another generation", "[registrar]")
{
    const auto live = told(fresh(), *judge(fresh()));
    CHECK(judge(changed(live, "/metadata/generation", "4")));
    CHECK(judge(changed(live, "/spec/chain", "\"base\"")));
    CHECK(judge(changed(live, "/status/phase", "\"Pending\"")));
    CHECK(judge(changed(live, "/status/phase", "")));
    CHECK(judge(changed(live, "/status/conditions", "[]")));
    CHECK(judge(retired(live)));
    const auto back = told(retired(live), *judge(retired(live)));
    const auto said = judge(changed(back, "/spec/desiredState", "\"Active\""));
    REQUIRE(said);
    CHECK(said->phase == registration_phase::off_chain_only);
}

TEST_CASE("the status is applied to that very object", "[registrar]")
{
    const auto live = fresh();
    const auto body = kube::make_status(
        api::registration_request_resource, live->meta, status_of(*live, *judge(live), now)
    );
    CHECK(body.at("apiVersion") == "obol.org/v1alpha1");
    CHECK(body.at("kind") == "RegistrationRequest");
    CHECK(kube::string_at(body, "metadata.name") == "hello-registration");
    CHECK(kube::string_at(body, "metadata.namespace") == "shop");
    CHECK(kube::string_at(body, "metadata.uid") == "u9");
    CHECK_FALSE(body.contains("spec"));
    CHECK(kube::string_at(body, "status.phase") == "OffChainOnly");
    CHECK(kube::find_path(body, "status.agentId") == nullptr);
    CHECK(kube::find_path(body, "status.txHash") == nullptr);
    const auto conditions = kube::parse_conditions(body.at("status").as_object());
    REQUIRE(conditions.size() == 1);
    CHECK(conditions[0].type == "Registered");
    CHECK(conditions[0].status == "True");
    CHECK(conditions[0].reason == "NoChain");
    CHECK_FALSE(conditions[0].message.empty());
    CHECK(conditions[0].observed_generation == 3);
    CHECK(conditions[0].last_transition_time == "2026-11-24T20:00:00Z");
}

TEST_CASE("the time of the condition moves only with its status", "[registrar]")
{
    const auto live = told(fresh(), *judge(fresh()));
    const auto newer = changed(live, "/metadata/generation", "4");
    const auto later = now + std::chrono::hours(1);
    const auto same = status_of(*newer, *judge(newer), later);
    CHECK(kube::parse_conditions(same).at(0).last_transition_time == to_rfc3339(now));
    const auto on_chain = retired(changed(live, "/status/agentId", "\"7\""));
    const auto other = status_of(*on_chain, *judge(on_chain), later);
    CHECK(kube::parse_conditions(other).at(0).last_transition_time == to_rfc3339(later));
}
