#include "catch.hpp"
#include "roles/registrar/permission.hpp"

#include <algorithm>

using namespace portitor;
using namespace portitor::registrar;
using Catch::Matchers::Contains;

namespace {

/// A request of the namespace shop that may be executed, and an operator who lets it be.
struct permission_world
{
    api::registration_request request;
    config::chain_list chains;
    x402::network_table networks = x402::network_table::built_in();
    config::registrar_lists lists;
    bool has_operator_key = true;

    permission_world()
    {
        request.meta.ns = "shop";
        request.meta.name = "hello-registration";
        request.chain = "base";
        request.registry = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
        chain("base").rpc_urls = {"https://node.example.com/secret"};
    }

    config::chain& chain(const std::string& name)
    {
        const auto at = std::find_if(chains.entries.begin(), chains.entries.end(), [&](const auto& each) {
            return each.name == name;
        });
        REQUIRE(at != chains.entries.end());
        return *at;
    }

    std::variant<permission, off_chain> judge() const
    {
        return judge_permission(request, chains, networks, lists, has_operator_key);
    }

    permission granted() const
    {
        const auto said = judge();
        const off_chain* no = std::get_if<off_chain>(&said);
        CAPTURE(no ? no->message : std::string());
        REQUIRE_FALSE(no);
        return std::get<permission>(said);
    }

    off_chain refused(const std::string& reason, bool is_end) const
    {
        const auto said = judge();
        REQUIRE(std::holds_alternative<off_chain>(said));
        const off_chain& no = std::get<off_chain>(said);
        CAPTURE(no.message);
        CHECK(no.reason == reason);
        CHECK(no.is_end == is_end);
        CHECK_THAT(no.message, !Contains("secret/"));
        return no;
    }
};

}  // namespace

TEST_CASE_METHOD(
    permission_world, "a request is executed on the chain that it names", "[registrar][permission]"
)
{
    for (const std::string name : {"base", "eip155:8453", "base-mainnet"})
    {
        request.chain = name;
        const permission all = granted();
        CHECK(all.chain == &chain("base"));
        CHECK(all.chain_id == 8453);
        CHECK(all.registry.to_checksum() == "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432");
        CHECK(all.key == key_source::operators);
        CHECK_FALSE(all.hand_back);
    }
    request.registry = "0x8004a169fb4a3325136eb29fa0ceb6d2e539a432";
    CHECK(granted().chain_id == 8453);
}

TEST_CASE_METHOD(permission_world, "what cannot be reached is said, and is an end", "[registrar][permission]")
{
    request.chain = "nowhere";
    CHECK_THAT(refused("NoChain", true).message, Contains("nowhere is no chain of the EVM"));
    request.chain = "solana";
    CHECK_THAT(refused("NoChain", true).message, Contains("solana is no chain of the EVM"));
    request.chain = "celo";
    CHECK_THAT(refused("NoChain", true).message, Contains("list chains has no celo with a registry"));
    // One that the verifier has, without a registry.
    chains.entries.push_back({"celo", "", {"https://node"}});
    refused("NoChain", true);

    request.chain = "base";
    chain("base").rpc_urls.clear();
    CHECK_THAT(refused("NoNode", true).message, Contains("no node of base") && !Contains("--key-file"));
    has_operator_key = false;
    CHECK_THAT(refused("NoNode", true).message, Contains("rpcURL") && Contains("--key-file"));
    chain("base").rpc_urls = {"https://node"};
    CHECK_THAT(refused("NoKey", true).message, Contains("--key-file") && Contains("--signer-url"));
}

TEST_CASE_METHOD(permission_world, "only the operator's registry is called", "[registrar][permission]")
{
    for (const std::string other : {"0x8004A818BFB912233c491871b3d84c89A494BD9e", "0x8004"})
    {
        request.registry = other;
        CHECK_THAT(
            refused("RegistryNotAllowed", false).message,
            Contains(other) && Contains("0x8004A169FB4a3325136EB29fA0ceB6D2e539a432")
        );
    }
}

TEST_CASE_METHOD(
    permission_world, "a request signs for itself where the list says so", "[registrar][permission]"
)
{
    request.private_key_secret = api::secret_key_ref{"agent", "key"};
    has_operator_key = GENERATE(false, true);
    CHECK_THAT(refused("KeyNotAllowed", false).message, Contains("{namespace: shop, secret: agent}"));
    lists.signers = {{"other", "agent"}, {"shop", "agents"}};
    refused("KeyNotAllowed", false);
    lists.signers.push_back({"shop", "agent"});
    CHECK(granted().key == key_source::own);
}

TEST_CASE_METHOD(permission_world, "the operator's agents are given by name", "[registrar][permission]")
{
    request.agent_id = "0";
    CHECK_THAT(
        refused("IdentityNotAllowed", false).message,
        Contains("{chain: base, agentId: \"0\", namespace: shop}")
    );
    lists.identities = {
        {"base", 0, "other", true}, {"base", 1, "shop", true}, {"base-sepolia", 0, "shop", true}};
    refused("IdentityNotAllowed", false);
    lists.identities.push_back({"eip155:8453", 0, "shop", false});
    CHECK_FALSE(granted().hand_back);
    lists.identities.back().hand_back = true;
    CHECK(granted().hand_back);
    request.agent_id = "000";
    CHECK(granted().hand_back);
    request.agent_id = std::string(78, '9');
    refused("IdentityNotAllowed", false);
    request.agent_id.clear();
    CHECK_FALSE(granted().hand_back);
}

TEST_CASE_METHOD(permission_world, "an own key needs no word for its agents", "[registrar][permission]")
{
    request.agent_id = "7";
    request.private_key_secret = api::secret_key_ref{"agent", "key"};
    refused("KeyNotAllowed", false);
    lists.signers = {{"shop", "agent"}};
    CHECK_FALSE(granted().hand_back);
    lists.identities = {{"base", 7, "shop", true}};
    CHECK(granted().hand_back);
}
