#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/groups.hpp>
#include <portitor/config/registrar_lists.hpp>

using namespace portitor;
using portitor::test::complaint_about;
using portitor::test::has;

namespace {

/// The lists, read beside the networks whose names they use.
struct lists : config::registrar_lists
{
    x402::network_table networks = x402::network_table::built_in();

    result<void> resolve() { return config::registrar_lists::resolve(networks); }
};

}  // namespace

TEST_CASE("the lists say who signs for itself and who gets which identity", "[config][registrar]")
{
    lists read;
    const std::string text =
        "signers:\n- {namespace: shop, secret: agent.key}\n- {namespace: b, secret: agent.key}\n"
        "identities:\n"
        "- {chain: base, agentId: 0, namespace: shop}\n"
        "- {chain: base-sepolia, agentId: 0, namespace: b, handBack: true}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    REQUIRE(read.signers.size() == 2);
    CHECK(read.signers[0] == config::signer_entry{"shop", "agent.key"});
    REQUIRE(read.identities.size() == 2);
    CHECK(read.identities[0].agent_id == 0);
    CHECK(read.identities[0].ns == "shop");
    CHECK_FALSE(read.identities[0].hand_back);
    CHECK(read.identities[1].chain == "base-sepolia");
    CHECK(read.identities[1].hand_back);
    CHECK(complaint_about<lists>("signers:\nidentities: []\n") == "no error");
}

TEST_CASE("what is wrong in the registrar's lists is told with its line", "[config][registrar]")
{
    const std::vector<std::pair<std::string, std::string>> cases{
        {"signers: shop", "signers: line 1: a list is wanted"},
        {"signers:\n- {namespace: a}", "signers: line 2: each entry needs \"secret\""},
        {"signers:\n- {namespace: '*', secret: k}", "line 2: \"namespace\" is one name"},
        {"signers:\n- {namespace: a, secret: K}", "line 2: \"secret\" is one name"},
        {"signers:\n- {namespace: a, secret: k, key: b}", "line 2: unknown key \"key\""},
        {"signers:\n- {namespace: a, secret: k}\n- {namespace: a, secret: k}",
         "line 3: Secret a/k comes twice"},
        {"identities: {chain: base}", "identities: line 1: a list is wanted"},
        {"identities:\n- {chain: base, namespace: a}", "line 2: each entry needs \"agentId\""},
        {"identities:\n- {chain: base, agentId: '', namespace: a}", "line 2: each entry needs \"agentId\""},
        {"identities:\n- {chain: base, agentId: 0x1, namespace: a}", "line 2: \"agentId\" is the number"},
        {"identities:\n- {chain: base, agentId: -1, namespace: a}", "line 2: \"agentId\" is the number"},
        {"identities:\n- {chain: base, agentId: 1, namespace: a, handBack: on}",
         "line 2: \"handBack\" is true"},
        {"identities:\n- {chain: base, agentId: 1, namespace: a, handback: true}",
         "unknown key \"handback\""},
        {"identities:\n- {chain: nowhere, agentId: 1, namespace: a}",
         "line 2: nowhere is no chain of the EVM"},
        {"identities:\n- {chain: solana, agentId: 1, namespace: a}", "line 2: solana is no chain of the EVM"},
    };
    for (const auto& [text, words] : cases)
    {
        const std::string told = complaint_about<lists>(text + "\n");
        CAPTURE(text, told);
        CHECK(has(told, words));
    }
}

TEST_CASE("an identity is given once, by whatever name of its chain", "[config][registrar]")
{
    const auto both = [](const std::string& chain, const std::string& id, const std::string& ns) {
        return complaint_about<lists>(
            "identities:\n- {chain: base, agentId: 7, namespace: a}\n- {chain: '" + chain + "', agentId: '" +
            id + "', namespace: " + ns + "}\n"
        );
    };
    CHECK(has(both("base", "7", "a"), "line 3: agent 7 of base comes twice"));
    CHECK(has(both("base", "007", "b"), "line 3: agent 7 of base is given to two namespaces, a and b"));
    CHECK(has(both("eip155:8453", "7", "b"), "line 3: agent 7 of eip155:8453 is given to two namespaces"));
    CHECK(has(both("base-mainnet", "7", "a"), "line 3: agent 7 of base-mainnet comes twice"));
    CHECK(both("base", "8", "a") == "no error");
    CHECK(both("polygon", "7", "b") == "no error");
}
