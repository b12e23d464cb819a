#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace portitor::evm {

/// 32 bytes, big-endian where they are a number: what the EVM computes with, and what Keccak-256 gives.
using word = std::array<std::uint8_t, 32>;

/// Keccak-256 as Ethereum uses it (Yellow Paper, appendix on signing): the original Keccak padding, not that
/// of NIST's SHA3-256, which gives other hashes. Any thread.
word keccak256(std::span<const std::uint8_t> bytes);

/// The hash of the text's bytes, without any terminator.
word keccak256(std::string_view text);

}  // namespace portitor::evm
