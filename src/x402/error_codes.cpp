#include <portitor/x402/error_codes.hpp>

#include <algorithm>
#include <array>

namespace portitor::x402 {

namespace {

using enum code_meaning;

// The closed list of what a settlement says before its broadcast is what is `refused` in the third column: in
// doubt a code does not belong there. Whatever else fails in a settlement may yet be mined.
// clang-format off
constexpr std::array table{std::to_array<error_code>({
    {"asset_not_deployed_contract", refused, refused, sdk_v2},
    {"duplicate_settlement", already_used, being_settled, sdk_v1 | sdk_v2},
    {"eip2612_asset_mismatch", refused, refused, sdk_v2},
    {"eip2612_deadline_expired", refused, refused, sdk_v2},
    {"eip2612_from_mismatch", refused, refused, sdk_v2},
    {"eip2612_spender_not_permit2", refused, refused, sdk_v2},
    {"eip6492_factory_not_allowed", refused, refused, sdk_v2},
    {"erc20_approval_asset_mismatch", refused, refused, sdk_v2},
    {"erc20_approval_broadcast_failed", refused, may_settle, sdk_v2},
    {"erc20_approval_from_mismatch", refused, refused, sdk_v2},
    {"erc20_approval_spender_not_permit2", refused, refused, sdk_v2},
    {"erc20_approval_tx_failed", refused, may_settle, sdk_v2},
    {"erc20_approval_tx_invalid_calldata", refused, refused, sdk_v2},
    {"erc20_approval_tx_invalid_signature", refused, refused, sdk_v2},
    {"erc20_approval_tx_parse_failed", refused, refused, sdk_v2},
    {"erc20_approval_tx_signer_mismatch", refused, refused, sdk_v2},
    {"erc20_approval_tx_wrong_selector", refused, refused, sdk_v2},
    {"erc20_approval_tx_wrong_spender", refused, refused, sdk_v2},
    {"erc20_approval_tx_wrong_target", refused, refused, sdk_v2},
    {"extension_echo_mismatch", refused, refused, sdk_v2},
    {"insufficient_funds", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_eip2612_extension_format", refused, refused, sdk_v2},
    {"invalid_erc20_approval_extension_format", refused, refused, sdk_v2},
    {"invalid_exact_evm_authorization_value", refused, refused, sdk_v2},
    {"invalid_exact_evm_eip3009_not_supported", refused, refused, sdk_v2},
    {"invalid_exact_evm_failed_to_parse_signature", refused, refused, sdk_v2},
    {"invalid_exact_evm_insufficient_balance", refused, refused, sdk_v2},
    {"invalid_exact_evm_missing_eip712_domain", refused, refused, sdk_v2},
    {"invalid_exact_evm_network_mismatch", refused, refused, sdk_v2},
    {"invalid_exact_evm_nonce_already_used", already_used, already_used, sdk_v2},
    {"invalid_exact_evm_payload_authorization_valid_after", refused, refused, spec_v1 | spec_v2 | sdk_v1 | sdk_v2},
    {"invalid_exact_evm_payload_authorization_valid_before", refused, refused, spec_v1 | spec_v2 | sdk_v1 | sdk_v2},
    {"invalid_exact_evm_payload_authorization_value", refused, refused, spec_v1 | sdk_v1},
    {"invalid_exact_evm_payload_authorization_value_mismatch", refused, refused, spec_v2 | sdk_v2},
    {"invalid_exact_evm_payload_recipient_mismatch", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_exact_evm_payload_signature", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_exact_evm_payload_undeployed_smart_wallet", refused, refused, sdk_v1},
    {"invalid_exact_evm_recipient_mismatch", refused, refused, sdk_v2},
    {"invalid_exact_evm_scheme", refused, refused, sdk_v2},
    {"invalid_exact_evm_signature", refused, refused, sdk_v2},
    {"invalid_exact_evm_token_name_mismatch", refused, refused, sdk_v2},
    {"invalid_exact_evm_token_version_mismatch", refused, refused, sdk_v2},
    {"invalid_exact_evm_transaction_failed", refused, failed, sdk_v2},
    {"invalid_exact_evm_transaction_simulation_failed", refused, refused, sdk_v2},
    {"invalid_exact_evm_transfer_event_mismatch", refused, failed, sdk_v2},
    {"invalid_exact_svm_payload_transaction", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_amount_mismatch", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_create_ata_instruction", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_create_ata_instruction_incorrect_asset", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_create_ata_instruction_incorrect_payee", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_fee_payer_included_in_instruction_accounts", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_fee_payer_transferring_funds", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instruction_not_spl_token_transfer_checked", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instruction_not_token_2022_transfer_checked", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instructions", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instructions_compute_limit_instruction", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instructions_compute_price_instruction", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instructions_compute_price_instruction_too_high", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_instructions_length", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_not_a_transfer_instruction", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_receiver_ata_not_found", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_sender_ata_not_found", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_simulation_failed", refused, refused, sdk_v1},
    {"invalid_exact_svm_payload_transaction_transfer_to_incorrect_ata", refused, refused, sdk_v1},
    {"invalid_network", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_payload", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_payment", refused, refused, sdk_v1},
    {"invalid_payment_requirements", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"invalid_permit2_recipient_mismatch", refused, refused, sdk_v2},
    {"invalid_permit2_signature", refused, refused, sdk_v2},
    {"invalid_permit2_spender", refused, refused, sdk_v2},
    {"invalid_scheme", refused, refused, spec_v1 | spec_v2 | sdk_v1 | sdk_v2},
    {"invalid_transaction_state", refused, failed, spec_v1 | spec_v2 | sdk_v1 | sdk_v2},
    {"invalid_x402_version", refused, refused, spec_v1 | spec_v2 | sdk_v1},
    {"payment_expired", refused, refused, sdk_v1},
    {"permit2_2612_amount_mismatch", refused, refused, sdk_v2},
    {"permit2_allowance_required", refused, refused, sdk_v2},
    {"permit2_amount_mismatch", refused, refused, sdk_v2},
    {"permit2_deadline_expired", refused, refused, sdk_v2},
    {"permit2_insufficient_balance", refused, refused, sdk_v2},
    {"permit2_invalid_amount", refused, refused, sdk_v2},
    {"permit2_invalid_destination", refused, refused, sdk_v2},
    {"permit2_invalid_nonce", already_used, already_used, sdk_v2},
    {"permit2_invalid_owner", refused, refused, sdk_v2},
    {"permit2_not_yet_valid", refused, refused, sdk_v2},
    {"permit2_payment_too_early", refused, refused, sdk_v2},
    {"permit2_proxy_not_deployed", refused, refused, sdk_v2},
    {"permit2_simulation_failed", refused, refused, sdk_v2},
    {"permit2_token_mismatch", refused, refused, sdk_v2},
    {"settle_exact_svm_block_height_exceeded", refused, may_settle, sdk_v1},
    {"settle_exact_svm_transaction_confirmation_timed_out", refused, may_settle, sdk_v1},
    {"settlement_pending", refused, may_settle, sdk_v2},
    {"smart_wallet_deployment_failed", refused, refused, sdk_v2},
    {"unexpected_settle_error", refused, may_settle, spec_v1 | spec_v2 | sdk_v1},
    {"unexpected_verify_error", refused, may_settle, spec_v1 | spec_v2 | sdk_v1},
    {"unsupported_asset_transfer_method", refused, refused, sdk_v2},
    {"unsupported_payload_type", refused, refused, sdk_v2},
    {"unsupported_payment_flow", refused, refused, sdk_v2},
    {"unsupported_scheme", refused, refused, spec_v1 | spec_v2 | sdk_v1},
})};
// clang-format on

static_assert(std::is_sorted(table.begin(), table.end(), [](const error_code& a, const error_code& b) {
    return a.code < b.code;
}));

bool ends_as_used(std::string_view reason) noexcept
{
    return reason.ends_with("nonce_already_used");
}

// Without a transaction it also covers a lost connection while the SDK waited for the receipt.
bool ends_as_failed(std::string_view reason) noexcept
{
    return reason.ends_with("transaction_failed");
}

}  // namespace

std::span<const error_code> error_codes() noexcept
{
    return table;
}

const error_code* find_error_code(std::string_view code) noexcept
{
    const auto at =
        std::lower_bound(table.begin(), table.end(), code, [](const error_code& entry, std::string_view key) {
            return entry.code < key;
        });
    return at != table.end() && at->code == code ? &*at : nullptr;
}

code_meaning meaning_after_verify(std::string_view reason) noexcept
{
    if (const error_code* known = find_error_code(reason))
        return known->after_verify;
    return ends_as_used(reason) ? already_used : refused;
}

code_meaning meaning_after_settle(std::string_view reason) noexcept
{
    if (const error_code* known = find_error_code(reason))
        return known->after_settle;
    if (ends_as_used(reason))
        return already_used;
    return ends_as_failed(reason) ? failed : may_settle;
}

bool may_hide_used_nonce(std::string_view reason) noexcept
{
    return reason == "permit2_simulation_failed";
}

}  // namespace portitor::x402
