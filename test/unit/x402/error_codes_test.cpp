#include "catch.hpp"
#include "samples.hpp"

#include <portitor/x402/error_codes.hpp>
#include <portitor/x402/match.hpp>

#include <fstream>
#include <functional>
#include <regex>
#include <span>
#include <sstream>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

const error_code& known(std::string_view code)
{
    INFO(code);
    const error_code* found = find_error_code(code);
    REQUIRE(found != nullptr);
    return *found;
}

// Why a payment is refused here, if it is.
std::string refusal_code(const payment& offered, const payment_requirement& wanted)
{
    const match_outcome outcome = match(offered, std::span(&wanted, 1));
    if (const auto* refused = std::get_if<refusal>(&outcome))
        return refused->code;
    const auto late = time_refusal(offered, wanted, samples::now());
    return late ? late->code : std::string();
}

}  // namespace

TEST_CASE("every code of the specifications is known", "[x402][codes]")
{
    const char* both[] = {
        "insufficient_funds",
        "invalid_exact_evm_payload_authorization_valid_after",
        "invalid_exact_evm_payload_authorization_valid_before",
        "invalid_exact_evm_payload_signature",
        "invalid_exact_evm_payload_recipient_mismatch",
        "invalid_network",
        "invalid_payload",
        "invalid_payment_requirements",
        "invalid_scheme",
        "unsupported_scheme",
        "invalid_x402_version",
        "invalid_transaction_state",
        "unexpected_verify_error",
        "unexpected_settle_error",
    };
    for (const char* code : both)
        CHECK((known(code).sources & (spec_v1 | spec_v2)) == (spec_v1 | spec_v2));
    CHECK((known("invalid_exact_evm_payload_authorization_value").sources & spec_v1) != 0);
    CHECK((known("invalid_exact_evm_payload_authorization_value_mismatch").sources & spec_v2) != 0);
}

TEST_CASE("every code of the SDKs is known", "[x402][codes]")
{
    for (const char* code :
         {"invalid_payment",
          "payment_expired",
          "duplicate_settlement",
          "invalid_exact_evm_payload_undeployed_smart_wallet",
          "invalid_exact_svm_payload_transaction",
          "settle_exact_svm_block_height_exceeded"})
        CHECK((known(code).sources & sdk_v1) != 0);
    for (const char* tail :
         {"scheme",
          "network_mismatch",
          "missing_eip712_domain",
          "recipient_mismatch",
          "signature",
          "authorization_value",
          "nonce_already_used",
          "insufficient_balance",
          "token_name_mismatch",
          "token_version_mismatch",
          "eip3009_not_supported",
          "transaction_simulation_failed",
          "transaction_failed",
          "transfer_event_mismatch",
          "failed_to_parse_signature"})
        CHECK((known(std::string("invalid_exact_evm_") + tail).sources & sdk_v2) != 0);
    for (const char* code :
         {"asset_not_deployed_contract",
          "eip6492_factory_not_allowed",
          "smart_wallet_deployment_failed",
          "settlement_pending",
          "permit2_allowance_required",
          "permit2_deadline_expired",
          "permit2_not_yet_valid",
          "permit2_amount_mismatch",
          "permit2_token_mismatch",
          "permit2_simulation_failed",
          "permit2_insufficient_balance",
          "permit2_proxy_not_deployed",
          "permit2_invalid_nonce",
          "invalid_permit2_spender",
          "invalid_permit2_recipient_mismatch",
          "invalid_permit2_signature"})
        CHECK((known(code).sources & sdk_v2) != 0);
}

TEST_CASE("the table is in order, and verification moves no money", "[x402][codes]")
{
    for (const error_code& each : error_codes())
    {
        INFO(each.code);
        CHECK(find_error_code(each.code) == &each);
        CHECK((each.after_verify == code_meaning::refused || each.after_verify == code_meaning::already_used)
        );
        CHECK(each.sources != 0);
        CHECK(
            (each.after_verify == code_meaning::already_used) ==
            (each.after_settle == code_meaning::already_used ||
             each.after_settle == code_meaning::being_settled)
        );
    }
    CHECK(find_error_code("") == nullptr);
    CHECK(find_error_code("zzz") == nullptr);
    CHECK(find_error_code("invalid_exact_evm") == nullptr);
}

TEST_CASE("codes mean what the money did", "[x402][codes]")
{
    for (const char* code :
         {"invalid_exact_evm_nonce_already_used",
          "permit2_invalid_nonce",
          "nonce_already_used",
          "invalid_new_scheme_nonce_already_used"})
    {
        INFO(code);
        CHECK(meaning_after_verify(code) == code_meaning::already_used);
        CHECK(meaning_after_settle(code) == code_meaning::already_used);
    }
    CHECK(meaning_after_verify("duplicate_settlement") == code_meaning::already_used);
    CHECK(meaning_after_settle("duplicate_settlement") == code_meaning::being_settled);
    for (const char* code :
         {"settlement_pending",
          "unexpected_settle_error",
          "unexpected_verify_error",
          "settle_exact_svm_transaction_confirmation_timed_out",
          "internal_error",
          "unknown_error",
          "settle_exact_node_failure",
          "a_new_code",
          ""})
    {
        INFO(code);
        CHECK(meaning_after_verify(code) == code_meaning::refused);
        CHECK(meaning_after_settle(code) == code_meaning::may_settle);
    }
    for (const char* code :
         {"invalid_transaction_state",
          "invalid_exact_evm_transaction_failed",
          "invalid_exact_evm_transfer_event_mismatch",
          "transaction_failed"})
    {
        INFO(code);
        CHECK(meaning_after_verify(code) == code_meaning::refused);
        CHECK(meaning_after_settle(code) == code_meaning::failed);
    }
    for (const char* code : {"insufficient_funds", "invalid_exact_evm_transaction_simulation_failed"})
    {
        INFO(code);
        CHECK(meaning_after_verify(code) == code_meaning::refused);
        CHECK(meaning_after_settle(code) == code_meaning::refused);
    }
}

TEST_CASE("our own refusals use published codes", "[x402][codes]")
{
    const std::regex literal(R"re("((?:invalid|permit2|unsupported|unexpected)_[a-z0-9_]+)")re");
    int found = 0;
    for (const char* name : {"match.cpp", "purchase.cpp", "facilitator_messages.cpp", "signature.cpp"})
    {
        std::ifstream file(std::string("src/x402/") + name);
        std::stringstream text;
        text << file.rdbuf();
        const std::string source = text.str();
        for (std::sregex_iterator at(source.begin(), source.end(), literal), end; at != end; ++at, ++found)
            known((*at)[1].str());
    }
    CHECK(found > 15);
}

TEST_CASE("a refusal has the code that its version publishes", "[x402][codes]")
{
    const auto spoil = [](const std::function<void(payment&)>& how) {
        for (const int version : {1, 2})
        {
            payment offered = version == 1 ? decode_v1(v1_payment()).value()
                                           : decode_v2(v2_payment(usdc_requirement())).value();
            how(offered);
            const std::string code = refusal_code(offered, usdc_requirement());
            INFO("version " << version << ": " << code);
            CHECK((known(code).sources & (version == 1 ? spec_v1 : spec_v2)) != 0);
        }
    };
    spoil([](payment& one) { one.pay_to = evm::address(); });
    spoil([](payment& one) { one.value = 1; });
    spoil([](payment& one) { one.valid_after = now_seconds + 1; });
    spoil([](payment& one) { one.valid_before = now_seconds; });
    spoil([](payment& one) {
        one.scheme = "upto";
        one.accepted.reset();
    });
    spoil([](payment& one) {
        one.network = "eip155:1";
        one.accepted.reset();
    });
    spoil([](payment& one) { one.kind = payment_kind::other; });
}

TEST_CASE("a used nonce may hide where only a simulation of Permit2 is told to have failed", "[x402][codes]")
{
    CHECK(may_hide_used_nonce("permit2_simulation_failed"));
    for (const error_code& each : error_codes())
        CHECK(may_hide_used_nonce(each.code) == (each.code == "permit2_simulation_failed"));
}
