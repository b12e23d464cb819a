#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/x402/networks.hpp>

#include <string>
#include <vector>

namespace portitor::config {

/// A Secret with a key of its own that requests of its namespace may sign with.
struct signer_entry
{
    std::string ns;
    std::string secret;

    bool operator==(const signer_entry&) const = default;
};

/// An identity of the operator's account that offers of a namespace may take over.
struct identity_entry
{
    std::string chain;  ///< any name of its network
    u256 agent_id;
    std::string ns;
    bool hand_back = false;  ///< at the end it gets back the URI that it had
    int line = 0;            ///< of the file, from 1
};

/// Who may sign for itself, and who may have what the operator's account owns: "signers" and "identities".
struct registrar_lists
{
    std::vector<signer_entry> signers;
    std::vector<identity_entry> identities;

    void declare(loader& into);

    /// errc::invalid where the chain of an identity is not known, errc::conflict where two entries mean the
    /// same identity by different names of its chain.
    result<void> resolve(const x402::network_table& networks);
};

}  // namespace portitor::config
