#pragma once

#include <portitor/config/loader.hpp>

#include <string>
#include <vector>

namespace portitor::config {

/// One chain on which agents may be registered, and its registry.
struct chain
{
    std::string name;      ///< CAIP-2 or the network's name
    std::string registry;  ///< empty: for the verifier only
    std::string rpc_url;   ///< of a JSON-RPC node; empty: the verifier cannot look there
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
