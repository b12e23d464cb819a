#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// Recursive Length Prefix, in which transactions are written (Yellow Paper, appendix B). Any thread.
namespace portitor::evm {

using bytes = std::vector<std::uint8_t>;

/// Appends a string of bytes.
void append_rlp(bytes& to, std::span<const std::uint8_t> text);

/// Appends a number: big-endian without leading zeros, so that zero is the empty string.
void append_rlp(bytes& to, const u256& number);

/// Appends a list, whose items stand encoded one after the other in `items`.
void append_rlp_list(bytes& to, std::span<const std::uint8_t> items);

/// Takes a list off the front of `from`: its items, still encoded. errc::invalid where there is none or it
/// goes past the end.
result<std::span<const std::uint8_t>> take_rlp_list(std::span<const std::uint8_t>& from);

/// Takes a string off the front of `from`. Whether it is written in the shortest form is not judged: who
/// needs that compares with its own encoding.
result<std::span<const std::uint8_t>> take_rlp(std::span<const std::uint8_t>& from);

}  // namespace portitor::evm
