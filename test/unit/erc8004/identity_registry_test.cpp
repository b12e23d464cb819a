#include "evm_vectors.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/eip712.hpp>

using namespace portitor;
using namespace portitor::erc8004;
namespace json = boost::json;

namespace {

/// What others make of a call with these arguments.
std::string expected(std::string_view signature, const json::array& arguments)
{
    for (const auto& each : vectors().at("calldata").as_array())
    {
        if (text_of(each.at("signature")) == signature && each.at("args") == json::value(arguments))
            return text_of(each.at("data"));
    }
    return "no such vector";
}

const std::string uri = "https://agent.example/.well-known/agent-registration.json";
const address registry = address::parse("0x8004A818BFB912233c491871b3d84c89A494BD9e").value();
const address owner = address::parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266").value();

/// A mint, as the registry's log of it was seen.
evm::log_entry mint()
{
    const auto& seen = vectors().at("sampleLogs").at(0);
    evm::log_entry out;
    out.contract = registry;
    for (const auto& topic : seen.at("topics").as_array())
        evm::parse_hex(text_of(topic), out.topics.emplace_back()).value();
    out.data = bytes_of(seen.at("data"));
    return out;
}

}  // namespace

TEST_CASE("the registry is called as others call it", "[erc8004]")
{
    CHECK(evm::to_hex(register_call(uri)) == expected("register(string)", {uri}));
    const std::vector<metadata_entry> metadata{{"x402.supported", {1}}, {"k", {}}};
    CHECK(
        evm::to_hex(register_call(uri, metadata)) ==
        expected(
            "register(string,(string,bytes)[])",
            {uri, json::array{json::array{"x402.supported", "0x01"}, json::array{"k", "0x"}}}
        )
    );
    CHECK(evm::to_hex(set_agent_uri_call(0, uri)) == expected("setAgentURI(uint256,string)", {"0", uri}));
    CHECK(
        evm::to_hex(set_metadata_call(42, "x402.supported", bytes{0})) ==
        expected("setMetadata(uint256,string,bytes)", {"42", "x402.supported", "0x00"})
    );
    CHECK(evm::to_hex(owner_of_call(0)) == expected("ownerOf(uint256)", {"0"}));
    CHECK(evm::to_hex(token_uri_call(42)) == expected("tokenURI(uint256)", {"42"}));
    CHECK(evm::to_hex(balance_of_call(owner)) == expected("balanceOf(address)", {owner.to_checksum()}));
    CHECK(
        evm::to_hex(get_metadata_call(42, "x402.supported")) ==
        expected("getMetadata(uint256,string)", {"42", "x402.supported"})
    );
    CHECK(evm::to_hex(supports_agents_call()) == "0x01ffc9a780ac58cd" + std::string(56, '0'));
}

TEST_CASE("a mint is known by contract, topic and owner, wherever it stands", "[erc8004]")
{
    evm::log_entry transfer = mint();
    transfer.topics[0] = evm::keccak256("Transfer(address,address,uint256)");
    evm::log_entry elsewhere = mint();
    elsewhere.contract = owner;
    evm::log_entry strangers = mint();
    strangers.topics[2] = evm::to_word(registry);
    evm::log_entry undone = mint();
    undone.removed = true;
    evm::log_entry bare = mint();
    bare.topics.clear();

    std::vector<evm::log_entry> logs{transfer, elsewhere, strangers, undone, bare};
    CHECK_FALSE(find_registered(logs, registry, owner).value());
    logs.push_back(mint());
    const auto found = find_registered(logs, registry, owner).value();
    REQUIRE(found);
    CHECK(found->agent_id == 0);
    CHECK(found->agent_uri == uri);
    CHECK((found->owner == owner));
}

TEST_CASE("a mint that cannot be read is no mint that there was not", "[erc8004]")
{
    evm::log_entry cut = mint();
    cut.data.resize(40);
    const auto found = find_registered(std::vector{cut}, registry, owner);
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code() == errc::protocol);
}
