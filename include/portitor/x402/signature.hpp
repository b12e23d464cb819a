#pragma once

#include <portitor/evm/keccak.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <cstdint>
#include <optional>

/// What can be said of a payment's signature without asking anyone. All functions here are pure and of any
/// thread.
namespace portitor::x402 {

/// What a signature says by itself.
enum class signature_verdict : std::uint8_t
{
    /// The key of the payer signed exactly this payment for this chain and this token.
    valid,
    /// No ordinary account signed this as the payer. Only where the payer is a contract (a smart wallet, or
    /// an account with EIP-7702 code) the chain may accept it all the same, by EIP-1271.
    not_an_account,
    /// What had to be signed is not known here: another kind of payment or scheme, a chain that is not of the
    /// EVM, an asset that is no address.
    cannot_tell,
};

/// "valid", "not_an_account", "cannot_tell": for logs and metrics.
const char* to_string(signature_verdict verdict) noexcept;

/// The EIP-712 digest that the payer must have signed: EIP-3009's TransferWithAuthorization in the domain of
/// the requirement's asset (its name, version and address), or the PermitWitnessTransferFrom of the scheme
/// "exact" in the domain of Permit2. The chain is the requirement's, "eip155:N"; everything else is what the
/// payment says, whether it fits the requirement or not: match() judges that. Empty where a verdict would be
/// cannot_tell. x402 v2, scheme "exact" on EVM.
std::optional<evm::word> signed_digest(const payment& offered, const payment_requirement& wanted);

/// Judges the signature as the chain would for a payer without code. EIP-3009: evm::recover()'s strict form,
/// which USDC demands. Permit2 takes the 64 bytes of EIP-2098 as well; its contract would also take an s
/// above n/2, which no wallet makes, and which is not valid here. Costs about 50 us.
/// @pre match() found `wanted` for `offered`
signature_verdict check_signature(const payment& offered, const payment_requirement& wanted);

/// Of a signature that is not_an_account: whether it looks made for a wallet contract, so that only the chain
/// can judge it. True for more than 65 bytes: ERC-6492's wrapper, ABI-encoded structs, several owners' 65
/// bytes, or 65 bytes behind a type byte or a validator's address; contracts share no form, so no length
/// above that is implausible. False
///  - for 65 bytes and less. Some contracts take the 65 bytes of one owner (a Safe with one owner), and they
///    look like any wrong signature: who knows from the chain that the payer has code should ask on.
///  - for an account's own valid signature with bytes behind it: the payer is an ordinary account then, and
///    the token refuses the tail.
/// @pre check_signature(offered, wanted) == signature_verdict::not_an_account
bool may_be_contract_signature(const payment& offered, const payment_requirement& wanted);

/// How a payment is refused whose signature is not the payer's: `invalid_exact_evm_payload_signature`, which
/// both versions of the specification have, or the SDK's `invalid_permit2_signature`. The message tells the
/// buyer what to look at, and quotes nothing.
refusal signature_refusal(const payment& offered);

}  // namespace portitor::x402
