#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/evm/private_key.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The other side of a sale: what a buyer reads and signs. Pure; all that a server sends is a stranger's.
/// What an error or a text quotes of it is short, and may hold control characters: make it printable.
namespace portitor::x402 {

/// A longer PAYMENT-REQUIRED header, or body of a 402, is not read.
inline constexpr std::size_t max_terms = 256 * 1024;
/// A 402 with more entries in `accepts` is refused.
inline constexpr std::size_t max_accepts = 64;
/// No payment is signed that is valid for longer, whatever a server allows for.
inline constexpr std::chrono::seconds longest_validity{3'600};

/// One entry of `accepts` for which a payment can be made here.
struct payment_option
{
    payment_requirement wanted;  ///< its network in CAIP-2
    std::uint64_t chain_id = 0;
    std::string network;           ///< as the server wrote it
    boost::json::object accepted;  ///< the entry itself, which v2 gives back
};

/// What a 402 asks for.
struct offered_terms
{
    int version = 0;
    std::string error;  ///< the server's own words; may be empty
    std::vector<payment_option>
        options;  ///< in the server's order; may be empty where others were passed over
    std::vector<std::string> passed_over;  ///< the other entries, and why no payment can be made for each
    std::optional<boost::json::object> resource;    ///< v2: given back
    std::optional<boost::json::object> extensions;  ///< v2: given back
};

/// Reads a 402: PAYMENT-REQUIRED where it is there and `version` is not 1, else the body (v1). x402 v2
/// section 5.1, v1 section 5.1. errc::protocol: not a 402 of x402, or none of that version, or one that
/// names no way to pay, or whose header and body ask for different things.
/// @param header the value of PAYMENT-REQUIRED, nothing where it is absent
/// @param version 1 or 2 to read nothing else
result<offered_terms> read_terms(
    std::optional<std::string_view> header,
    std::string_view body,
    const network_table& known,
    std::optional<int> version = {}
);

/// The server's own words in a PAYMENT-REQUIRED header, whatever else it says; empty where there are none.
std::string words_in_terms(std::string_view header);

/// What a buyer is ready to pay.
struct spending_rules
{
    std::vector<std::string> networks;    ///< any of the table's names; empty: every one
    bool main_networks = false;           ///< whether also such with money in them
    bool in_clear = false;                ///< whether everybody on the way can read what is sent
    bool main_networks_in_clear = false;  ///< whether that is no reason against money
    std::string most = "0.01";            ///< decimal amount of a token that the table knows
    std::optional<u256>
        most_atomic{};  ///< instead, for a token that it does not know; nothing: no such token
};

/// The first option, in the server's order, that the rules allow. errc::refused: none; the message says of
/// each why not, and what would allow it (flags of `portitor pay`).
result<const payment_option*>
choose(const offered_terms& terms, const spending_rules& rules, const network_table& known);

/// A payment, ready to be sent. Who has it can redeem it until it ends: it is a secret until then.
struct signed_payment
{
    payment_header header = payment_header::payment_signature;
    std::string value;
    evm::address payer;
    std::uint64_t valid_before = 0;  ///< Unix seconds
};

/// The header's name.
std::string_view name_of(payment_header header) noexcept;

/// Makes and signs a payment of one of the terms' options: EIP-3009, or the Permit2 of the scheme "exact"
/// (which moves something only where the payer has approved the Permit2 contract). It is valid for the
/// option's maxTimeoutSeconds, and never for longer than longest_validity. errc::invalid: it would be longer
/// than any server takes.
/// @param nonce random, and never used before
result<signed_payment> make_payment(
    const offered_terms& terms,
    const payment_option& option,
    const evm::private_key& key,
    clock::time_point now,
    const evm::word& nonce
);

/// How the server says that a payment ended.
struct receipt
{
    bool success = false;
    std::string transaction;  ///< empty where there is none
    std::string network;
    std::string payer;
    std::string reason;  ///< of a failure: its code and its message
};

/// Reads the value of PAYMENT-RESPONSE or X-PAYMENT-RESPONSE. errc::protocol where it is none.
result<receipt> read_receipt(std::string_view value);

/// Why a receipt is not one of this payment, in half a sentence; empty where it may be. What it says is the
/// server's word in any case.
/// @param paid null where the terms are not known any more
std::string doubt_about(const receipt& got, const evm::address& payer, const payment_option* paid);

}  // namespace portitor::x402
