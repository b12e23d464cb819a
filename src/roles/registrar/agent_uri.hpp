#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>

#include <cstdint>
#include <string>

/// What an agent's URI holds where it is no address but the document itself (ERC-8004; RFC 2397, base64).
/// Pure.
namespace portitor::registrar {

/// The agent's name in the registry of one chain.
struct agent_identity
{
    std::uint64_t chain_id = 0;
    evm::address registry;
    u256 agent_id;
};

/// "data:application/json;base64,…" of a document of at most 300 bytes that says that the agent is no more:
/// type, name (cut where it is too long), active false, x402Support false, registrations.
std::string retired_uri(const std::string& name, const agent_identity& who);

/// The same of a request's document, with this registration among its registrations. errc::invalid where it
/// is no JSON object.
result<std::string> document_uri(const std::string& document, const agent_identity& who);

}  // namespace portitor::registrar
