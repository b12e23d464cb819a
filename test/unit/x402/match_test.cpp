#include "catch.hpp"
#include "samples.hpp"

#include <portitor/x402/match.hpp>
#include <portitor/x402/payment_required.hpp>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

// The refusal's code, or "matched".
std::string outcome(const result<payment>& offered, const payment_requirement& wanted)
{
    REQUIRE(offered.has_value());
    const match_outcome found = match(*offered, std::span(&wanted, 1));
    if (const auto* refused = std::get_if<refusal>(&found))
        return refused->code;
    CHECK(std::get<const payment_requirement*>(found) == &wanted);
    return "matched";
}

json::value text(const std::string& plain)
{
    return json::value(json::string(plain));
}

std::string upper(std::string address)
{
    for (std::size_t i = 2; i < address.size(); ++i)
        address[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(address[i])));
    return address;
}

}  // namespace

TEST_CASE("a payment for our own 402 matches in both versions", "[x402][match]")
{
    const payment_requirement wanted = usdc_requirement();
    const payment_required made = make_payment_required(std::span(&wanted, 1), "");
    json::object message = v2_payment(wanted);
    message["accepted"] = json::parse(decode_base64(made.header_value).value()).at("accepts").as_array()[0];
    CHECK(outcome(decode_v2(message), wanted) == "matched");
    CHECK(outcome(decode_v1(v1_payment()), wanted) == "matched");
    CHECK(outcome(decode_v2(v2_payment(permit2_requirement())), permit2_requirement()) == "matched");
}

TEST_CASE("the real upfront header matches its requirement", "[x402][match]")
{
    const json::value data = load("headers.json");
    payment_requirement wanted = usdc_requirement();
    wanted.max_timeout_seconds = 315'360'000;
    std::size_t matched = 0;
    for (const json::value& each : data.at("headers").as_array())
    {
        const bool v2 = each.at("header").as_string() == "PAYMENT-SIGNATURE";
        const auto decoded = decode_payment(
            v2 ? payment_header::payment_signature : payment_header::x_payment,
            json::value_to<std::string>(each.at("value")),
            networks()
        );
        const std::string id = json::value_to<std::string>(each.at("id"));
        INFO(id);
        const bool expected = !v2 || id.find("upfront") != id.npos;
        CHECK((outcome(decoded, wanted) == "matched") == expected);
        matched += expected;
    }
    CHECK(matched == 5);
}

TEST_CASE("each field of accepted must equal the requirement", "[x402][match]")
{
    const payment_requirement wanted = usdc_requirement();
    struct entry
    {
        const char* path;
        json::value value;
        const char* expected;
    };
    const entry entries[] = {
        {"accepted/scheme", "upto", "unsupported_scheme"},
        {"accepted/network", "eip155:8453", "invalid_network"},
        {"accepted/network", "base-sepolia", "invalid_network"},
        {"accepted/amount", "9999", "invalid_payment_requirements"},
        {"accepted/amount", "010000", "matched"},
        {"accepted/amount", 10000, "invalid_payment_requirements"},
        {"accepted/amount", nullptr, "invalid_payment_requirements"},
        {"accepted/asset", text(wanted.pay_to), "invalid_payment_requirements"},
        {"accepted/asset", text(upper(wanted.asset)), "matched"},
        {"accepted/payTo", text(wanted.asset), "invalid_payment_requirements"},
        {"accepted/payTo", text(upper(wanted.pay_to)), "matched"},
        {"accepted/maxTimeoutSeconds", 61, "invalid_payment_requirements"},
        {"accepted/maxTimeoutSeconds", "60", "invalid_payment_requirements"},
        {"accepted/extra", nullptr, "invalid_payment_requirements"},
        {"accepted/extra/name", "USD Coin", "invalid_payment_requirements"},
        {"accepted/extra/version", "1", "invalid_payment_requirements"},
        {"accepted/extra/version", 2, "invalid_payment_requirements"},
        {"accepted/extra/paymentFlow", "authorization", "invalid_payment_requirements"},
        {"accepted/extra/more", json::array{1}, "matched"},
        {"accepted/more", "x", "matched"},
    };
    for (const entry& each : entries)
    {
        json::object message = v2_payment(wanted);
        at(message, each.path) = each.value;
        INFO(each.path << " = " << json::serialize(each.value));
        CHECK(outcome(decode_v2(message), wanted) == each.expected);
    }
    for (const char* name : {"amount", "asset", "payTo", "maxTimeoutSeconds", "extra"})
    {
        json::object message = v2_payment(wanted);
        message.at("accepted").as_object().erase(name);
        INFO(name);
        CHECK(outcome(decode_v2(message), wanted) == "invalid_payment_requirements");
    }
}

TEST_CASE("what was signed must fit the requirement", "[x402][match]")
{
    struct entry
    {
        const char* path;
        std::string value;
        const char* v2;
        const char* v1;
    };
    const entry entries[] = {
        {"payload/authorization/to",
         payer,
         "invalid_exact_evm_payload_recipient_mismatch",
         "invalid_exact_evm_payload_recipient_mismatch"},
        {"payload/authorization/to", upper(seller), "matched", "matched"},
        {"payload/authorization/value",
         "9999",
         "invalid_exact_evm_payload_authorization_value_mismatch",
         "invalid_exact_evm_payload_authorization_value"},
        // v1's text says "at least", its SDK and v2 say "equal".
        {"payload/authorization/value",
         "10001",
         "invalid_exact_evm_payload_authorization_value_mismatch",
         "invalid_exact_evm_payload_authorization_value"},
    };
    const payment_requirement wanted = usdc_requirement();
    for (const entry& each : entries)
    {
        INFO(each.path << " = " << each.value);
        json::object second = v2_payment(wanted);
        at(second, each.path) = each.value;
        CHECK(outcome(decode_v2(second), wanted) == each.v2);
        json::object first = v1_payment();
        at(first, each.path) = each.value;
        CHECK(outcome(decode_v1(first), wanted) == each.v1);
    }
}

TEST_CASE("a permit must fit the requirement", "[x402][match]")
{
    const payment_requirement wanted = permit2_requirement();
    const std::pair<const char*, const char*> entries[] = {
        {"payload/permit2Authorization/spender", "invalid_permit2_spender"},
        {"payload/permit2Authorization/witness/to", "invalid_permit2_recipient_mismatch"},
        {"payload/permit2Authorization/permitted/token", "permit2_token_mismatch"},
    };
    for (const auto& [path, code] : entries)
    {
        json::object message = v2_payment(wanted);
        at(message, path) = payer;
        INFO(path);
        CHECK(outcome(decode_v2(message), wanted) == code);
    }
    json::object message = v2_payment(wanted);
    at(message, "payload/permit2Authorization/permitted/amount") = "10001";
    CHECK(outcome(decode_v2(message), wanted) == "permit2_amount_mismatch");
}

TEST_CASE("the transfer method must be the one that was asked for", "[x402][match]")
{
    json::object message = v2_payment(usdc_requirement());
    message["payload"] = permit2_payload();
    CHECK(outcome(decode_v2(message), usdc_requirement()) == "invalid_payload");

    message = v2_payment(permit2_requirement());
    message["payload"] = eip3009_payload();
    CHECK(outcome(decode_v2(message), permit2_requirement()) == "invalid_payload");

    json::object delegated = v2_payment(usdc_requirement());
    json::object payload;
    payload["delegationManager"] = seller;
    delegated["payload"] = payload;
    CHECK(outcome(decode_v2(delegated), usdc_requirement()) == "invalid_payload");
}

TEST_CASE("v1 matches by scheme and network only where v1 is offered", "[x402][match]")
{
    json::object message = v1_payment();
    message["scheme"] = "upto";
    CHECK(outcome(decode_v1(message), usdc_requirement()) == "unsupported_scheme");
    message = v1_payment();
    message["network"] = "base";
    CHECK(outcome(decode_v1(message), usdc_requirement()) == "invalid_network");
    CHECK(outcome(decode_v1(v1_payment()), permit2_requirement()) == "invalid_payment_requirements");
}

TEST_CASE("the payment finds its requirement among several", "[x402][match]")
{
    payment_requirement dearer = usdc_requirement();
    dearer.amount = 20000;
    const payment_requirement offered[] = {dearer, permit2_requirement(), usdc_requirement()};
    const auto v2 = match(decode_v2(v2_payment(usdc_requirement())).value(), offered);
    CHECK(std::get<const payment_requirement*>(v2) == &offered[2]);
    const auto v1 = match(decode_v1(v1_payment()).value(), offered);
    CHECK(std::get<const payment_requirement*>(v1) == &offered[2]);
    const auto none = match(decode_v1(v1_payment()).value(), {});
    CHECK(std::get<refusal>(none).code == "invalid_network");
}

TEST_CASE("a requirement that is itself wrong matches nothing", "[x402][match]")
{
    payment_requirement wanted = usdc_requirement();
    wanted.pay_to = "";
    CHECK(outcome(decode_v1(v1_payment()), wanted) == "invalid_exact_evm_payload_recipient_mismatch");
    json::object message = v2_payment(wanted);
    CHECK(outcome(decode_v2(message), wanted) == "invalid_payment_requirements");
}

TEST_CASE("the time window leaves six seconds to settle", "[x402][match]")
{
    const auto code = [](std::int64_t after, std::int64_t before) {
        json::object message = v1_payment();
        at(message, "payload/authorization/validAfter") = std::to_string(now_seconds + after);
        at(message, "payload/authorization/validBefore") = std::to_string(now_seconds + before);
        const auto refused = time_refusal(decode_v1(message).value(), usdc_requirement(), samples::now());
        return refused ? refused->code : std::string("in time");
    };
    CHECK(code(0, 6) == "in time");
    CHECK(code(-600, 60) == "in time");
    CHECK(code(0, 5) == "invalid_exact_evm_payload_authorization_valid_before");
    CHECK(code(0, -1) == "invalid_exact_evm_payload_authorization_valid_before");
    CHECK(code(1, 60) == "invalid_exact_evm_payload_authorization_valid_after");

    const payment_requirement wanted = permit2_requirement();
    payment permit = decode_v2(v2_payment(wanted)).value();
    CHECK_FALSE(time_refusal(permit, wanted, samples::now()));
    permit.valid_after = now_seconds + 1;
    CHECK(time_refusal(permit, wanted, samples::now())->code == "permit2_not_yet_valid");
    permit.valid_before = now_seconds + 5;
    CHECK(time_refusal(permit, wanted, samples::now())->code == "permit2_deadline_expired");
}

TEST_CASE("a payment is valid for an hour, or as long as the terms say, and no longer", "[x402][match]")
{
    payment_requirement wanted = usdc_requirement();
    payment offered = decode_v1(v1_payment()).value();
    const auto code = [&](const u256& valid_before) {
        offered.valid_before = valid_before;
        const auto refused = time_refusal(offered, wanted, samples::now());
        return refused ? refused->code : std::string("in time");
    };
    const std::string too_late = "invalid_exact_evm_payload_authorization_valid_before";
    const u256 most = (std::numeric_limits<u256>::max)();
    for (const std::uint32_t timeout : {1U, 60U, 3'600U})
    {
        wanted.max_timeout_seconds = timeout;
        CHECK(code(now_seconds + 3'900) == "in time");
        CHECK(code(now_seconds + 3'901) == too_late);
    }
    wanted.max_timeout_seconds = 7'200;
    CHECK(code(now_seconds + 7'500) == "in time");
    CHECK(code(now_seconds + 7'501) == too_late);
    wanted.max_timeout_seconds = std::numeric_limits<std::uint32_t>::max();
    for (const u256& huge : {most, most - 1, u256(1) << 64, u256(1) << 255})
    {
        CHECK(code(huge) == too_late);
        offered.valid_after = huge;
        CHECK(code(huge) == too_late);
        CHECK(code(now_seconds + 60) == "invalid_exact_evm_payload_authorization_valid_after");
        offered.valid_after = 0;
    }

    payment permit = decode_v2(v2_payment(permit2_requirement())).value();
    permit.valid_before = most;
    CHECK(time_refusal(permit, permit2_requirement(), samples::now())->code == "invalid_payload");

    // Operators may set other limits.
    offered.valid_before = now_seconds + 100;
    payment_validity validity;
    validity.least = std::chrono::seconds(0);
    validity.clocks = std::chrono::seconds(10);
    wanted.max_timeout_seconds = 60;
    CHECK(time_refusal(offered, wanted, samples::now(), validity));
    offered.valid_before = now_seconds + 70;
    CHECK_FALSE(time_refusal(offered, wanted, samples::now(), validity));
}

TEST_CASE("a refusal for the time names both clocks", "[x402][match]")
{
    const std::pair<std::int64_t, std::int64_t> windows[] = {{0, 5}, {0, 4'000}, {1, 60}};
    for (const auto& [after, before] : windows)
    {
        payment offered = decode_v1(v1_payment()).value();
        offered.valid_after = now_seconds + after;
        offered.valid_before = now_seconds + before;
        const auto refused = time_refusal(offered, usdc_requirement(), samples::now());
        REQUIRE(refused);
        INFO(refused->message);
        CHECK(refused->message.find("the clock here is at 1795511510") != std::string::npos);
        const std::int64_t theirs = after > 0 ? now_seconds + after : now_seconds + before;
        CHECK(refused->message.find(" is " + std::to_string(theirs)) != std::string::npos);
    }
}
