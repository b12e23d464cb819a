#pragma once

#include <portitor/evm/chain_data.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The identity registry of ERC-8004 (https://eips.ethereum.org/EIPS/eip-8004): a contract that gives agents
/// their numbers. What it is asked, and what it says; no I/O. Any thread.
namespace portitor::erc8004 {

using evm::address;
using evm::bytes;

struct metadata_entry
{
    std::string key;
    bytes value;
};

// Transactions. The sender of register() becomes the agent's owner, and may then change it.

/// Mints an agent. The same URI may be registered any number of times: the contract knows no doubles.
bytes register_call(std::string_view agent_uri, std::span<const metadata_entry> metadata = {});
bytes set_agent_uri_call(const u256& agent_id, std::string_view agent_uri);
/// "agentWallet" is refused by the registry.
bytes set_metadata_call(const u256& agent_id, std::string_view key, std::span<const std::uint8_t> value);

// Questions. Those about an agent revert where it does not exist, but for metadata, which is empty then.

bytes owner_of_call(const u256& agent_id);      ///< answer: read_address()
bytes token_uri_call(const u256& agent_id);     ///< answer: read_text()
bytes balance_of_call(const address& account);  ///< how many agents it owns: evm::abi_number()
bytes get_metadata_call(const u256& agent_id, std::string_view key);  ///< answer: read_text()
/// ERC-165, for ERC-721: an address without code answers nothing, and takes every transaction.
bytes supports_agents_call();

result<address> read_address(std::span<const std::uint8_t> answer);
result<std::string> read_text(std::span<const std::uint8_t> answer);

/// What a mint says.
struct registered
{
    u256 agent_id;  ///< 0 is one
    std::string agent_uri;
    address owner;
};

/// The registry's event of a mint by this account, among the logs of a receipt: nothing where there is none.
/// It is known by contract and topic, never by its place, which differs. errc::protocol where it cannot be
/// read.
result<std::optional<registered>>
find_registered(std::span<const evm::log_entry> logs, const address& registry, const address& owner);

/// The first topic of every mint, for eth_getLogs; the third one is the owner's evm::to_word().
const evm::word& registered_topic();

}  // namespace portitor::erc8004
