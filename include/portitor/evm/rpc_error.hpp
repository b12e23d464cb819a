#pragma once

#include <portitor/core/error.hpp>

#include <string>
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

/// Why a call has no result. Nothing of it is the node's own wording but `revert`.
class rpc_error
{
public:
    rpc_error() = default;
    rpc_error(const error& failure) : failure_(failure) {}  // NOLINT(google-explicit-constructor): as it is
    rpc_error(const error& failure, rpc_refusal refusal, std::string revert)
        : failure_(failure), refusal_(refusal), revert_(std::move(revert))
    {}

    errc code() const { return failure_.code(); }
    const std::string& message() const { return failure_.message(); }
    /// What the node's words meant, where the code is errc::refused.
    rpc_refusal refusal() const { return refusal_; }
    /// What the contract gave as its reason, as letters, digits and the like; at most 100 of them.
    const std::string& revert() const { return revert_; }

    const error& to_error() const { return failure_; }

private:
    error failure_;
    rpc_refusal refusal_ = rpc_refusal::unknown;
    std::string revert_;
};

template <typename T>
using rpc_result = boost::system::result<T, rpc_error>;

/// Whether a node refused because it does not have what was asked for: the block, or the state as of then.
bool is_lack(const rpc_error& why);

[[noreturn]] void throw_exception_from_error(const rpc_error& failure, const boost::source_location& where);

}  // namespace portitor::evm
