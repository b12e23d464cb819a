#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/u256.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace portitor::config {

/// Where the registration document of an agent is kept.
enum class document_place
{
    https,     ///< behind the agent's URI
    on_chain,  ///< in the agent's URI itself, which costs a second transaction
};

/// One chain on which agents may be registered, and its registry.
struct chain
{
    std::string name;                     ///< CAIP-2 or the network's name
    std::string registry;                 ///< empty: for the verifier only
    std::vector<std::string> rpc_urls{};  ///< of JSON-RPC nodes, the first that answers is asked; empty: none
    std::uint32_t confirmations = 5;      ///< blocks from a transaction's own to the head, both counted
    /// The verifier believes a facilitator's success only once a node has seen it, too.
    bool check_receipts = false;
    u256 max_fee_per_gas = 50'000'000'000;      ///< wei
    u256 daily_spend = 50'000'000'000'000'000;  ///< wei of one account in a day (UTC)
    std::uint32_t daily_transactions = 200;     ///< of one account in a day
    document_place document = document_place::https;
};

/// The chains that have a registry of ERC-8004. The first one is meant where an offer names none.
std::vector<chain> built_in_chains();

/// The built-in chains, and what the operator's list adds or changes.
struct chain_list
{
    std::vector<chain> entries = built_in_chains();
    bool allow_insecure = false;  ///< --allow-insecure-facilitator holds for nodes too

    void declare(loader& into);

    /// errc::invalid where a chain has neither registry nor node, or a node is asked over http that must not
    /// be.
    result<void> resolve();
};

}  // namespace portitor::config
