#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/x402/networks.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::x402 {

/// The header that brought a payment; it decides the protocol version.
enum class payment_header
{
    x_payment,          ///< X-PAYMENT, v1
    payment_signature,  ///< PAYMENT-SIGNATURE, v2
};

inline constexpr std::string_view x_payment_header = "X-PAYMENT";
inline constexpr std::string_view payment_signature_header = "PAYMENT-SIGNATURE";

/// A longer header is refused undecoded. Real ones have 0.6 to 1.5 kB.
inline constexpr std::size_t max_payment_header = 16 * 1024;

/// x402ExactPermit2Proxy, at the same address on every chain: the only spender that the scheme "exact"
/// settles with.
inline constexpr std::string_view exact_permit2_proxy = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";

/// Permit2, at the same address on every chain.
inline constexpr std::string_view permit2_contract = "0x000000000022d473030f116ddee9f6b43ac78ba3";
const evm::address& permit2_address();

/// The header that carries the receipt back: X-PAYMENT-RESPONSE in v1, PAYMENT-RESPONSE in v2.
std::string_view receipt_header(int version) noexcept;

/// What the payer signed.
enum class payment_kind
{
    eip3009,  ///< TransferWithAuthorization of the token
    permit2,  ///< PermitWitnessTransferFrom of the Permit2 contract
    other,    ///< something that only a facilitator could read (ERC-7710, another scheme)
};

/// A payment as its header tells it: well-formed, but neither matched nor verified. Of the kind `other`
/// nothing below `kind` is known.
struct payment
{
    int version = 0;
    std::string text;  ///< the decoded header as it came, JSON, for the facilitator
    std::string scheme;
    std::string network;  ///< CAIP-2, or what the client wrote where the table lacks it
    std::optional<boost::json::object>
        accepted;  ///< v2: the requirement that the client says it pays; unsigned

    payment_kind kind = payment_kind::other;
    evm::address payer;
    evm::address pay_to;
    u256 value;                           ///< atomic units
    std::optional<evm::address> asset;    ///< Permit2 signs its token; EIP-3009 implies it
    evm::address spender;                 ///< Permit2 only
    u256 valid_after;                     ///< Unix seconds
    u256 valid_before;                    ///< Unix seconds; Permit2's deadline
    std::string nonce;                    ///< EIP-3009: "0x" and 64 lower-case digits; Permit2: decimal
    std::vector<std::uint8_t> signature;  ///< at least one byte, of any length that the header has room for
};

/// Decodes a payment header: bounded size and depth, strict base64, strict JSON, strict types, decimal
/// numbers of at most 256 bits, and a version that agrees with the header's name. The signature must be
/// hexadecimal and is not judged here: check_signature() does that. x402 v1 section 5.2, v2 section 5.2,
/// scheme "exact" on EVM. errc::invalid otherwise; the message says what is wrong without quoting the header,
/// so it may be shown.
result<payment> decode_payment(payment_header header, std::string_view value, const network_table& networks);

}  // namespace portitor::x402
