#pragma once

#include <portitor/core/u256.hpp>

#include <cstdint>
#include <optional>

/// What a transaction offers for its place in a block (EIP-1559). All in wei for a unit of gas. Any thread.
namespace portitor::evm {

struct fees
{
    u256 priority;  ///< for the block's maker, on top of the base fee
    u256 most;      ///< both together

    bool operator==(const fees&) const = default;
};

/// Enough for now: the base fee may double. Nothing where that is more than `ceiling`.
std::optional<fees> fees_for(const u256& base_fee, const u256& priority, const u256& ceiling);

/// What takes the place of a transaction with the same nonce: an eighth more of both, which all nodes accept
/// (geth wants a tenth more of both, reth more than that), and never less than the market's. Nothing where
/// that is more than `ceiling`.
std::optional<fees> fees_to_replace(const fees& before, const fees& market, const u256& ceiling);

/// The estimate and a fifth: what a call takes may grow until it is mined.
std::uint64_t gas_limit_for(std::uint64_t estimate);

}  // namespace portitor::evm
