#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/x402/networks.hpp>

#include <string>
#include <string_view>

namespace portitor::x402 {

/// What people call a network: "Base Sepolia"; its CAIP-2 name where it has no other.
std::string name_in_words(const network& which);

/// "0.001 USDC on Base Sepolia". An asset that the table does not know is told by its address, in atomic
/// units; `network` may be any text.
std::string amount_in_words(
    const u256& atomic, std::string_view network, std::string_view asset, const network_table& known
);

}  // namespace portitor::x402
