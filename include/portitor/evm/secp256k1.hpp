#pragma once

#include <portitor/core/error.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>

#include <cstdint>
#include <span>

namespace portitor::evm {

/// The address of the ordinary account whose key signed `digest`. Strict, as the ECRecover of USDC and of
/// OpenZeppelin is: exactly 65 bytes r, s, v with v 27 or 28, 0 < r < n, and 0 < s <= n/2 (EIP-2), because
/// otherwise anyone could make a second signature out of the first. errc::invalid for any other form and for
/// an r that is no point of the curve; never the zero address. Every well-formed signature gives some
/// address, so it means nothing before it is compared with the expected one. Any thread; about 50 us.
result<address> recover(const word& digest, std::span<const std::uint8_t> signature);

/// The same of the 64 bytes of EIP-2098, r and yParityAndS.
result<address> recover_compact(const word& digest, std::span<const std::uint8_t> signature);

/// The address of an uncompressed public key without its leading 4: the last 20 bytes of its hash.
address address_of_public_key(std::span<const std::uint8_t, 64> key);

}  // namespace portitor::evm
