#include "catch.hpp"
#include "samples.hpp"

#include <portitor/x402/payment_required.hpp>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

TEST_CASE("one 402 says the same to both versions", "[x402][402]")
{
    const payment_requirement wanted = usdc_requirement();
    const payment_required made = make_payment_required(std::span(&wanted, 1), "insufficient_funds");

    const json::value v2 = json::parse(decode_base64(made.header_value).value());
    const json::value v2_expected = json::parse(R"({
        "x402Version": 2, "error": "insufficient_funds",
        "resource": {"url": "https://example.test/services/hello", "description": "paid", "mimeType": "application/json"},
        "accepts": [{"scheme": "exact", "network": "eip155:84532", "amount": "10000",
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 60,
            "extra": {"name": "USDC", "version": "2", "paymentFlow": "upfront"}}]})");
    CHECK(v2 == v2_expected);

    const json::value v1 = json::parse(made.body);
    const json::value v1_expected = json::parse(R"({
        "x402Version": 1, "error": "insufficient_funds",
        "accepts": [{"scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000",
            "resource": "https://example.test/services/hello", "description": "paid", "mimeType": "application/json",
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 60,
            "extra": {"name": "USDC", "version": "2", "paymentFlow": "upfront"}}]})");
    CHECK(v1 == v1_expected);
}

TEST_CASE("what v1 cannot express is offered in v2 only", "[x402][402]")
{
    payment_requirement nameless = usdc_requirement();
    nameless.network = "eip155:42161";
    nameless.v1_network.clear();
    const payment_requirement offered[] = {permit2_requirement(), nameless, usdc_requirement()};
    const payment_required made = make_payment_required(offered, "Payment required");

    json::value v2 = json::parse(decode_base64(made.header_value).value());
    json::value v1 = json::parse(made.body);
    REQUIRE(v2.at("accepts").as_array().size() == 3);
    CHECK(v2.at("accepts").as_array()[0].at("extra").at("assetTransferMethod") == "permit2");
    REQUIRE(v1.at("accepts").as_array().size() == 1);
    CHECK(v1.at("accepts").as_array()[0].at("network") == "base-sepolia");
}

TEST_CASE("amounts above 64 bits keep every digit", "[x402][402]")
{
    payment_requirement wanted = usdc_requirement();
    wanted.amount = parse_u256("340282366920938463463374607431768211456").value();
    CHECK(json::parse(v2_json(wanted)).at("amount") == "340282366920938463463374607431768211456");
    CHECK(json::parse(v1_json(wanted)).at("maxAmountRequired") == "340282366920938463463374607431768211456");
}

TEST_CASE("the header stays within 8 kB, whatever description and URL hold", "[x402][402]")
{
    const auto repeated = [](std::string_view text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i)
            out += text;
        return out;
    };
    payment_requirement wanted = usdc_requirement();
    // As long as the gate takes paths, each character doubled by its escape.
    wanted.resource_url = "https://" + std::string(300, 'h') + "/" + std::string(2047, '"');
    for (const char* character : {"x", "\"", "\x01", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    {
        CAPTURE(character);
        wanted.description = repeated(character, 1024);
        const payment_required made = make_payment_required(std::span(&wanted, 1), std::string(200, 'e'));
        CHECK(made.header_value.size() <= max_payment_required);
        // Still JSON, and UTF-8: the parser refuses half a character.
        const json::value told = json::parse(decode_base64(made.header_value).value());
        const std::string shown(told.at("resource").at("description").as_string());
        if (shown == wanted.description)
            continue;
        CHECK(shown.size() > 100);
        REQUIRE(shown.ends_with("\xe2\x80\xa6"));
        CHECK(wanted.description.starts_with(shown.substr(0, shown.size() - 3)));
        // What there is room for is not cut off.
        CHECK(made.header_value.size() > max_payment_required - 200);
    }
    wanted.resource_url = "https://example.test/services/hello";
    wanted.description = repeated("\xe2\x82\xac", 1024);
    const json::value whole =
        json::parse(decode_base64(make_payment_required(std::span(&wanted, 1), "").header_value).value());
    CHECK(std::string(whole.at("resource").at("description").as_string()) == wanted.description);
}
