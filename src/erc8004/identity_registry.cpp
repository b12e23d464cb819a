#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>

namespace portitor::erc8004 {

using evm::abi_values;
using evm::call_data;

bytes register_call(std::string_view agent_uri, std::span<const metadata_entry> metadata)
{
    if (metadata.empty())
        return call_data("register(string)", abi_values().add_string(agent_uri));
    abi_values entries;
    for (const metadata_entry& each : metadata)
        entries.add_tuple(abi_values().add_string(each.key).add_bytes(each.value));
    return call_data(
        "register(string,(string,bytes)[])", abi_values().add_string(agent_uri).add_array(entries)
    );
}

bytes set_agent_uri_call(const u256& agent_id, std::string_view agent_uri)
{
    return call_data("setAgentURI(uint256,string)", abi_values().add(agent_id).add_string(agent_uri));
}

bytes set_metadata_call(const u256& agent_id, std::string_view key, std::span<const std::uint8_t> value)
{
    return call_data(
        "setMetadata(uint256,string,bytes)", abi_values().add(agent_id).add_string(key).add_bytes(value)
    );
}

bytes owner_of_call(const u256& agent_id)
{
    return call_data("ownerOf(uint256)", abi_values().add(agent_id));
}

bytes token_uri_call(const u256& agent_id)
{
    return call_data("tokenURI(uint256)", abi_values().add(agent_id));
}

bytes balance_of_call(const address& account)
{
    return call_data("balanceOf(address)", abi_values().add(account));
}

bytes get_metadata_call(const u256& agent_id, std::string_view key)
{
    return call_data("getMetadata(uint256,string)", abi_values().add(agent_id).add_string(key));
}

bytes supports_agents_call()
{
    // bytes4 stands at the front of its word.
    const u256 erc721 = u256(0x80ac58cd) << 224U;
    return call_data("supportsInterface(bytes4)", abi_values().add(erc721));
}

result<address> read_address(std::span<const std::uint8_t> answer)
{
    return evm::abi_address(answer, 0);
}

result<std::string> read_text(std::span<const std::uint8_t> answer)
{
    return evm::abi_string(answer, 0);
}

result<std::optional<registered>>
find_registered(std::span<const evm::log_entry> logs, const address& registry, const address& owner)
{
    for (const evm::log_entry& each : logs)
    {
        const bool ours = each.contract == registry && !each.removed && each.topics.size() == 3 &&
                          each.topics[0] == registered_topic() && each.topics[2] == evm::to_word(owner);
        if (!ours)
            continue;
        auto uri = evm::abi_string(each.data, 0);
        if (!uri)
            return uri.error().within("the event Registered");
        return registered{evm::number_of(each.topics[1]), std::move(*uri), owner};
    }
    return std::nullopt;
}

const evm::word& registered_topic()
{
    static const evm::word topic = evm::keccak256("Registered(uint256,string,address)");
    return topic;
}

}  // namespace portitor::erc8004
