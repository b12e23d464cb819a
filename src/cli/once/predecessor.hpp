#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/x402/networks.hpp>

#include <string>
#include <vector>

namespace portitor::cli::once {

/// What a request costs, to whom it is paid and where.
struct charge
{
    std::string pattern;  ///< "/services/hello/*"
    std::string offer;    ///< "namespace/name", where it is known
    bool free = false;
    u256 atomic;
    std::string network;  ///< CAIP-2
    std::string asset;    ///< the token's contract
    std::string pay_to;
    std::string facilitator;  ///< URL; empty: not written
    std::string model;        ///< "perRequest", "perMTok" or "perHour"
    std::string wrong;        ///< why nobody can pay it; empty: nothing
    bool rounded = false;     ///< the price had more digits than the asset
};

/// The pricing.yaml of the predecessor's ConfigMap, as its verifier reads it: routes take what they lack from
/// the top level, a price is rounded half up to the asset's digits, the asset is the network's USDC.
/// errc::invalid where the text is no such file. Upstream credentials, which it also holds, are not read.
result<std::vector<charge>> read_predecessor(const std::string& yaml, const x402::network_table& known);

}  // namespace portitor::cli::once
