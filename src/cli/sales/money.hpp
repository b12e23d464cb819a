#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/x402/networks.hpp>

#include <string>

namespace portitor::cli::sales {

/// A token as the operator's networks know it.
struct known_asset
{
    std::string network;                 ///< as people call it: "base-sepolia", or the CAIP-2 name
    const x402::token* token = nullptr;  ///< null where it is not known
    std::string contract;

    /// "0.001 USDC", or "1000 units of 0x…".
    std::string amount(const u256& atomic) const;
};

/// The table must outlive what is returned.
known_asset
find_asset(const x402::network_table& table, const std::string& network, const std::string& asset);

}  // namespace portitor::cli::sales
