#pragma once

#include <string_view>

namespace portitor::evm {

/// What a node's refusal means for who asked. Nodes give the same number to everything, so that only their
/// words tell.
enum class rpc_refusal
{
    unknown,                  ///< anything may have happened: look by hash before anything else
    already_known,            ///< it has this very transaction: a success
    nonce_too_low,            ///< some transaction took the nonce, perhaps this one
    replacement_underpriced,  ///< another one waits at this nonce and pays nearly as much
    underpriced,              ///< the fees are below what the node or the block asks
    insufficient_funds,       ///< the account cannot pay for it
    wrong_chain,              ///< signed for another chain than the node's
    reverted,                 ///< the contract refuses the call
    permanent,                ///< it is wrong in itself, and stays so
    log_range,                ///< eth_getLogs: over too many blocks, or with too many results
    retry,                    ///< the node has no room or no time just now
};

/// Reads an error's message in the wordings of geth, erigon, nethermind, reth, anvil and providers. Whole
/// phrases only: "Unknown RPC error" is not "already known".
rpc_refusal read_rpc_refusal(std::string_view message);

/// For logs and metrics: "nonce_too_low".
const char* to_string(rpc_refusal what) noexcept;

}  // namespace portitor::evm
