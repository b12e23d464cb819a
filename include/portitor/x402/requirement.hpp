#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/x402/networks.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::x402 {

/// What a server wants for one resource: PaymentRequirements of the scheme "exact" (x402 v2 section 5.1, v1
/// section 4). The flow is always `upfront`: settled before the resource is handed out, the only one that a
/// hop which does not see the answer can keep honestly.
struct payment_requirement
{
    std::string network;     ///< CAIP-2
    std::string v1_network;  ///< empty where x402 v1 has no name for it
    u256 amount;             ///< atomic units
    std::string asset;       ///< token contract, as it is to be shown
    std::string pay_to;      ///< receiving address, as it is to be shown
    std::uint32_t max_timeout_seconds = 60;
    std::string resource_url;  ///< absolute; v1 clients refuse anything else
    std::string description;
    std::string mime_type;
    std::string asset_name;     ///< EIP-712 domain of the asset
    std::string asset_version;  ///< EIP-712 domain of the asset
    transfer_method method = transfer_method::eip3009;

    /// Whether it can be told to a v1 client: v1 has a name for the network, and only EIP-3009.
    bool offered_in_v1() const { return !v1_network.empty() && method == transfer_method::eip3009; }
};

/// The fields that the choice of network and token decides.
payment_requirement make_requirement(const network& on, const token& of);

/// The same without owning anything, for who tells it only.
struct requirement_view
{
    std::string_view network;
    std::string_view v1_network;
    std::string_view amount;  ///< decimal
    std::string_view asset;
    std::string_view pay_to;
    std::uint32_t max_timeout_seconds = 60;
    std::string_view resource_url;
    std::string_view description;
    std::string_view mime_type;
    std::string_view asset_name;
    std::string_view asset_version;
    transfer_method method = transfer_method::eip3009;

    bool offered_in_v1() const { return !v1_network.empty() && method == transfer_method::eip3009; }
};

/// Views into the requirement and into `amount`, which is its amount in decimal digits.
requirement_view view_of(const payment_requirement& requirement, std::string_view amount);

/// Appends one element of `accepts` in v2, as JSON; the same is `paymentRequirements` to a facilitator.
void append_v2_json(std::string& out, const requirement_view& requirement);

/// The same in v1. @pre requirement.offered_in_v1()
void append_v1_json(std::string& out, const requirement_view& requirement);

}  // namespace portitor::x402
