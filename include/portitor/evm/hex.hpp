#pragma once

#include <portitor/core/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Ethereum values: addresses and "0x" hexadecimal.
namespace portitor::evm {

/// True for "0x" followed by an even number of hexadecimal digits, in any case; "0x" alone counts.
bool is_hex(std::string_view text) noexcept;

/// The bytes of "0x…", however many. errc::invalid for anything that is_hex() refuses.
result<std::vector<std::uint8_t>> parse_hex(std::string_view text);

/// Fills `out` from "0x" and exactly twice as many digits. errc::invalid for another length or another
/// character; `out` is unspecified then.
result<void> parse_hex(std::string_view text, std::span<std::uint8_t> out);

/// "0x" and lower-case digits.
std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace portitor::evm
