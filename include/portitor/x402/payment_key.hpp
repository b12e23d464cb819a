#pragma once

#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::x402 {

/// Identifies one payment: what a chain lets happen once. Network, token contract (for Permit2 the Permit2
/// contract, because the nonces are its own), payer and nonce, in one spelling each.
class payment_key
{
public:
    payment_key() = default;
    payment_key(
        std::string_view network, std::string_view asset, std::string_view payer, std::string_view nonce
    );

    /// The key that has this text().
    static payment_key of_text(std::string text);

    const std::string& text() const noexcept { return text_; }
    std::string_view network() const noexcept;
    std::string_view token() const noexcept;
    std::string_view payer() const noexcept;
    std::string_view nonce() const noexcept;
    bool operator==(const payment_key&) const = default;

private:
    std::string text_;
};

/// The key of a payment that match() found to pay `wanted`.
payment_key key_of(const payment& offered, const payment_requirement& wanted);

/// The keys that a payment may be on record under, whatever was wanted then: an EIP-3009 payment does not
/// say its token, so there is one for each that is known on its network.
std::vector<payment_key> keys_of(const payment& offered, const network_table& networks);

/// What a payment buys, as far as a copy of it must agree.
struct payment_binding
{
    std::string offer_uid;  ///< another offer of the same name is another purchase
    std::string method;
    std::string uri;  ///< escaped path and query, as the buyer sent them

    bool operator==(const payment_binding&) const = default;
};

using payment_digest = std::array<std::uint8_t, 32>;

/// Of everything that a copy must agree in: the binding, what the payer signed, and the signature itself, as
/// who knows only what the chain shows of a payment must not get its grant.
payment_digest digest_of(const payment_binding& binding, const payment& offered);

}  // namespace portitor::x402
