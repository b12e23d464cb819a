#include "x402/json.hpp"

#include <portitor/x402/match.hpp>

#include <boost/json/value.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

bool is_address(std::string_view text, const evm::address& expected)
{
    const auto parsed = evm::address::parse(text);
    return parsed && *parsed == expected;
}

bool same_address(const json::object& from, std::string_view name, std::string_view expected)
{
    const json::string* text = string_member(from, name);
    const auto address = evm::address::parse(expected);
    return text != nullptr && address && is_address(view(*text), *address);
}

bool same_text(const json::object& from, std::string_view name, std::string_view expected)
{
    const json::string* text = string_member(from, name);
    return text != nullptr && view(*text) == expected;
}

bool same_amount(const json::object& from, std::string_view name, const u256& expected)
{
    const json::string* text = string_member(from, name);
    if (text == nullptr)
        return false;
    const auto amount = parse_u256(view(*text));
    return amount && *amount == expected;
}

bool same_extra(const json::object& from, const payment_requirement& wanted)
{
    const json::object* extra = object_member(from, "extra");
    if (extra == nullptr)
        return false;
    // Every member of ours; the client may have more.
    return same_text(*extra, "name", wanted.asset_name) &&
           same_text(*extra, "version", wanted.asset_version) &&
           same_text(*extra, "paymentFlow", "upfront") &&
           (wanted.method == transfer_method::eip3009 ||
            same_text(*extra, "assetTransferMethod", to_string(wanted.method)));
}

// x402 v2: what the client says that it accepted is this requirement.
bool is_accepted(const json::object& accepted, const payment_requirement& wanted)
{
    return same_text(accepted, "scheme", "exact") && same_text(accepted, "network", wanted.network) &&
           same_amount(accepted, "amount", wanted.amount) && same_address(accepted, "asset", wanted.asset) &&
           same_address(accepted, "payTo", wanted.pay_to) &&
           integer_member(accepted, "maxTimeoutSeconds") == std::int64_t{wanted.max_timeout_seconds} &&
           same_extra(accepted, wanted);
}

bool is_candidate(const payment& offered, const payment_requirement& wanted)
{
    if (offered.version == 1)
        return wanted.offered_in_v1() && offered.scheme == "exact" && offered.network == wanted.network;
    return offered.accepted && is_accepted(*offered.accepted, wanted);
}

std::optional<refusal> check_eip3009(const payment& offered, const payment_requirement& wanted)
{
    if (!is_address(wanted.pay_to, offered.pay_to))
        return refusal{
            "invalid_exact_evm_payload_recipient_mismatch",
            "the authorization pays another address than payTo"};
    if (offered.value != wanted.amount)
        return refusal{
            offered.version == 1 ? "invalid_exact_evm_payload_authorization_value"
                                 : "invalid_exact_evm_payload_authorization_value_mismatch",
            "the authorized value is not the price"};
    return std::nullopt;
}

std::optional<refusal> check_permit2(const payment& offered, const payment_requirement& wanted)
{
    if (!is_address(exact_permit2_proxy, offered.spender))
        return refusal{"invalid_permit2_spender", "the permit's spender is not the x402 exact Permit2 proxy"};
    if (!is_address(wanted.pay_to, offered.pay_to))
        return refusal{"invalid_permit2_recipient_mismatch", "the permit pays another address than payTo"};
    if (offered.value != wanted.amount)
        return refusal{"permit2_amount_mismatch", "the permitted amount is not the price"};
    if (!offered.asset || !is_address(wanted.asset, *offered.asset))
        return refusal{"permit2_token_mismatch", "the permit is for another token"};
    return std::nullopt;
}

std::optional<refusal> check_signed(const payment& offered, const payment_requirement& wanted)
{
    const bool permit2 = wanted.method == transfer_method::permit2;
    if (offered.kind != (permit2 ? payment_kind::permit2 : payment_kind::eip3009))
        return refusal{
            "invalid_payload",
            fmt::format("the payment is not made by {}, as required", to_string(wanted.method))};
    return permit2 ? check_permit2(offered, wanted) : check_eip3009(offered, wanted);
}

refusal no_match(const payment& offered, std::span<const payment_requirement> requirements)
{
    if (offered.scheme != "exact")
        return {"unsupported_scheme", "only the scheme \"exact\" is accepted here"};
    for (const payment_requirement& each : requirements)
        if (each.network == offered.network)
            return {"invalid_payment_requirements", "No matching payment requirements"};
    return {"invalid_network", "payments on this network are not accepted here"};
}

}  // namespace

match_outcome match(const payment& offered, std::span<const payment_requirement> requirements)
{
    std::optional<refusal> first;
    for (const payment_requirement& each : requirements)
    {
        if (!is_candidate(offered, each))
            continue;
        auto refused = check_signed(offered, each);
        if (!refused)
            return &each;
        if (!first)
            first = std::move(refused);
    }
    return first ? *std::move(first) : no_match(offered, requirements);
}

std::optional<refusal> time_refusal(
    const payment& offered,
    const payment_requirement& wanted,
    clock::time_point now,
    const payment_validity& validity
)
{
    const std::uint64_t seconds = unix_seconds(now);
    const bool permit2 = offered.kind == payment_kind::permit2;
    const char* const too_late =
        permit2 ? "permit2_deadline_expired" : "invalid_exact_evm_payload_authorization_valid_before";
    const char* const end = permit2 ? "deadline" : "validBefore";
    // Nothing is computed with the payment's own numbers, which may be as large as 256 bits hold.
    if (offered.valid_before < u256(seconds) + settlement_seconds)
        return refusal{
            too_late,
            fmt::format(
                "{} is {}, the clock here is at {}, and {} seconds must be left to settle",
                end,
                to_string(offered.valid_before),
                seconds,
                settlement_seconds
            )};
    const std::uint64_t longest = std::max<std::uint64_t>(
        wanted.max_timeout_seconds, static_cast<std::uint64_t>(validity.least.count())
    );
    const std::uint64_t last = seconds + longest + static_cast<std::uint64_t>(validity.clocks.count());
    if (offered.valid_before > last)
        return refusal{
            permit2 ? "invalid_payload" : too_late,
            fmt::format(
                "{} is {}, the clock here is at {}, and payments are taken that end by {}",
                end,
                to_string(offered.valid_before),
                seconds,
                last
            )};
    if (offered.valid_after > seconds)
        return refusal{
            permit2 ? "permit2_not_yet_valid" : "invalid_exact_evm_payload_authorization_valid_after",
            fmt::format(
                "validAfter is {}, and the clock here is at {}", to_string(offered.valid_after), seconds
            )};
    return std::nullopt;
}

}  // namespace portitor::x402
