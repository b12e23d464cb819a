#include "catch.hpp"
#include "samples.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/payment.hpp>

#include <vector>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

TEST_CASE("every header of a real client decodes", "[x402][payment]")
{
    const json::value data = load("headers.json");
    const json::array& headers = data.at("headers").as_array();
    REQUIRE(headers.size() == 10);
    for (const json::value& each : headers)
    {
        const std::string id = json::value_to<std::string>(each.at("id"));
        INFO(id);
        const bool v2 = each.at("header").as_string() == "PAYMENT-SIGNATURE";
        const std::string value = json::value_to<std::string>(each.at("value"));
        const auto decoded = decode_payment(
            v2 ? payment_header::payment_signature : payment_header::x_payment, value, networks()
        );
        REQUIRE(decoded.has_value());

        // The reference decoding is the JSON itself, read another way.
        const json::value expected = json::parse(decode_base64(value).value());
        CHECK(json::parse(decoded->text) == expected);
        CHECK(decoded->version == (v2 ? 2 : 1));
        CHECK(decoded->network == "eip155:84532");
        CHECK(decoded->accepted.has_value() == v2);
        CHECK(decoded->pay_to == evm::address::parse(seller).value());
        CHECK(decoded->value == 10000);

        const json::object& payload = expected.at("payload").as_object();
        const bool permit2 = payload.contains("permit2Authorization");
        CHECK(decoded->kind == (permit2 ? payment_kind::permit2 : payment_kind::eip3009));
        const json::object& authorization =
            payload.at(permit2 ? "permit2Authorization" : "authorization").as_object();
        const auto text = [&](const char* name) {
            return json::value_to<std::string>(authorization.at(name));
        };
        CHECK(decoded->payer == evm::address::parse(text("from")).value());
        CHECK(decoded->nonce == text("nonce"));
        CHECK(evm::to_hex(decoded->signature) == json::value_to<std::string>(payload.at("signature")));
        CHECK(to_string(decoded->valid_before) == text(permit2 ? "deadline" : "validBefore"));
        CHECK(decoded->asset.has_value() == permit2);
        CHECK(decoded->scheme == (id.find("upto") == id.npos ? "exact" : "upto"));

        // Neither under the other name nor without its last byte.
        CHECK(decode_payment(
                  v2 ? payment_header::x_payment : payment_header::payment_signature, value, networks()
        )
                  .has_error());
        CHECK(decode_payment(
                  v2 ? payment_header::payment_signature : payment_header::x_payment,
                  value.substr(0, value.size() - 5),
                  networks()
        )
                  .has_error());
    }
}

TEST_CASE("every truncation of a header is refused", "[x402][payment]")
{
    const std::string value = encode(v2_payment(usdc_requirement()));
    REQUIRE(decode_payment(payment_header::payment_signature, value, networks()).has_value());
    const std::size_t data = value.find('=') == value.npos ? value.size() : value.find('=');
    for (std::size_t length = 0; length < data; ++length)
    {
        INFO(length);
        REQUIRE(
            decode_payment(payment_header::payment_signature, value.substr(0, length), networks()).has_error()
        );
    }
}

TEST_CASE("nonces get one spelling", "[x402][payment]")
{
    const auto eip3009 = decode_v2(v2_payment(usdc_requirement()));
    REQUIRE(eip3009.has_value());
    CHECK(eip3009->nonce == "0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480");
    const auto permit2 = decode_v2(v2_payment(permit2_requirement()));
    REQUIRE(permit2.has_value());
    CHECK(permit2->nonce == "727492244582701645290");
}

TEST_CASE("the version must agree with the header's name", "[x402][payment]")
{
    json::object message = v2_payment(usdc_requirement());
    const json::value versions[] = {1, 3, 0, -2, "2", 2.5, nullptr, true, json::array{2}};
    for (const json::value& version : versions)
    {
        message["x402Version"] = version;
        INFO(json::serialize(version));
        CHECK(decode_v2(message).has_error());
    }
    message.erase("x402Version");
    CHECK(decode_v2(message).has_error());
    CHECK(decode_v1(v1_payment()).has_value());
    CHECK(decode_v2(v1_payment()).has_error());
}

TEST_CASE("a wrong type anywhere is refused", "[x402][payment]")
{
    struct entry
    {
        payment_requirement wanted;
        std::vector<std::string> paths;
    };
    const entry entries[] = {
        {usdc_requirement(),
         {"accepted",
          "accepted/scheme",
          "accepted/network",
          "payload",
          "payload/signature",
          "payload/authorization",
          "payload/authorization/from",
          "payload/authorization/to",
          "payload/authorization/value",
          "payload/authorization/validAfter",
          "payload/authorization/validBefore",
          "payload/authorization/nonce"}},
        {permit2_requirement(),
         {"payload/signature",
          "payload/permit2Authorization",
          "payload/permit2Authorization/from",
          "payload/permit2Authorization/spender",
          "payload/permit2Authorization/nonce",
          "payload/permit2Authorization/deadline",
          "payload/permit2Authorization/permitted",
          "payload/permit2Authorization/permitted/token",
          "payload/permit2Authorization/permitted/amount",
          "payload/permit2Authorization/witness",
          "payload/permit2Authorization/witness/to",
          "payload/permit2Authorization/witness/validAfter"}},
    };
    const json::value wrong[] = {nullptr, true, 10000, -1, 1.5, json::array{"10000"}, json::array{}};
    for (const entry& each : entries)
    {
        REQUIRE(decode_v2(v2_payment(each.wanted)).has_value());
        for (const std::string& path : each.paths)
            for (const json::value& value : wrong)
            {
                json::object message = v2_payment(each.wanted);
                at(message, path) = value;
                INFO(path << " = " << json::serialize(value));
                const auto decoded = decode_v2(message);
                REQUIRE(decoded.has_error());
                CHECK(decoded.error().code() == errc::invalid);
            }
    }
}

TEST_CASE("numbers are decimal digits and fit 256 bits", "[x402][payment]")
{
    const char* refused[] = {
        "",
        "0x2710",
        " 10000",
        "10000 ",
        "+1",
        "-1",
        "1e4",
        "10000.0",
        "1_000",
        "\xd9\xa1",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
    };
    for (const char* path : {"value", "validAfter", "validBefore"})
        for (const char* number : refused)
        {
            json::object message = v1_payment();
            at(message, std::string("payload/authorization/") + path) = number;
            INFO(path << " = " << number);
            CHECK(decode_v1(message).has_error());
        }
    json::object message = v1_payment();
    at(message, "payload/authorization/value") =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    CHECK(decode_v1(message).has_value());
}

TEST_CASE("signatures and nonces must be hexadecimal", "[x402][payment]")
{
    for (const char* signature : {"", "0x", "0x1", "zz", "0xzz", "abcd"})
    {
        json::object message = v1_payment();
        at(message, "payload/signature") = signature;
        INFO(signature);
        CHECK(decode_v1(message).has_error());
    }
    for (const std::string& bad : {std::string("0x12"), nonce + "00", nonce.substr(2), std::string("1")})
    {
        json::object message = v1_payment();
        at(message, "payload/authorization/nonce") = bad;
        INFO(bad);
        CHECK(decode_v1(message).has_error());
    }
    // Wallets of other kinds sign longer.
    json::object message = v1_payment();
    at(message, "payload/signature") = "0x" + std::string(1000, '6');
    CHECK(decode_v1(message).value().signature == std::vector<std::uint8_t>(500, 0x66));
}

TEST_CASE("a member named twice is refused at any depth", "[x402][payment]")
{
    const std::string text = json::serialize(v1_payment());
    const auto decode = [](const std::string& json_text) {
        return decode_payment(payment_header::x_payment, encode_base64(json_text), networks());
    };
    REQUIRE(decode(text).has_value());
    std::string twice = text;
    twice.replace(twice.find("\"value\":"), 8, "\"value\":\"1\",\"value\":");
    CHECK(decode(twice).has_error());
    std::string escaped = text;
    escaped.replace(escaped.find("\"value\":"), 8, "\"v\\u0061lue\":\"1\",\"value\":");
    CHECK(decode(escaped).has_error());
    // Colons and quotes inside strings are no members.
    std::string harmless = text;
    harmless.replace(harmless.find("\"value\":"), 8, "\"a:\\\":b\\\\\":\":\\\":\",\"value\":");
    CHECK(decode(harmless).has_value());
}

TEST_CASE("two authorizations in one payload are refused", "[x402][payment]")
{
    json::object message = v2_payment(usdc_requirement());
    at(message, "payload/permit2Authorization") = permit2_payload().at("permit2Authorization");
    CHECK(decode_v2(message).has_error());
}

TEST_CASE("hostile text is refused", "[x402][payment]")
{
    const std::string deep(10'000, '[');
    std::string nested = "{\"x402Version\":1,\"a\":";
    for (int i = 0; i < 20; ++i)
        nested += "{\"a\":";
    const std::string texts[] = {
        "",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{",
        "{}",
        "{\"x402Version\":1}",
        "{\"x402Version\":1e400}",
        "{\"x402Version\":1,}",
        "{x402Version:1}",
        "{\"x402Version\":1} {}",
        "// comment\n{}",
        "{\"x402Version\":NaN}",
        "{\"x402Version\":01}",
        "{\"a\":\"\xff\xfe\"}",
        std::string("{\0}", 3),
        deep,
        nested + "1" + std::string(21, '}'),
    };
    for (const std::string& text : texts)
        for (const payment_header header : {payment_header::x_payment, payment_header::payment_signature})
        {
            INFO(text.substr(0, 60));
            const auto decoded = decode_payment(header, encode_base64(text), networks());
            REQUIRE(decoded.has_error());
            CHECK(decoded.error().code() == errc::invalid);
        }
}

TEST_CASE("nesting is bounded but extensions have room", "[x402][payment]")
{
    const auto message_of_depth = [](int levels) {
        json::value inner = json::object();
        for (int i = 2; i < levels; ++i)
        {
            json::object outer;
            outer["a"] = std::move(inner);
            inner = std::move(outer);
        }
        json::object message = v2_payment(usdc_requirement());
        message["extensions"] = std::move(inner);
        return message;
    };
    CHECK(decode_v2(message_of_depth(16)).has_value());
    CHECK(decode_v2(message_of_depth(18)).has_error());
}

TEST_CASE("an overlong header is refused undecoded", "[x402][payment]")
{
    json::object message = v2_payment(usdc_requirement());
    at(message, "accepted/padding") = std::string(11'000, 'x');
    CHECK(decode_v2(message).has_value());
    at(message, "accepted/padding") = std::string(12'000, 'x');
    REQUIRE(decode_v2(message).has_error());
    CHECK(decode_v2(message).error().message().find("16384") != std::string::npos);
}

TEST_CASE("refusals never quote the header", "[x402][payment]")
{
    for (const char* path :
         {"payload/signature", "payload/authorization/from", "payload/authorization/value"})
    {
        json::object message = v1_payment();
        at(message, path) = "secretsecret";
        const auto decoded = decode_v1(message);
        REQUIRE(decoded.has_error());
        CHECK(decoded.error().message().find("secret") == std::string::npos);
    }
    const auto garbage = decode_payment(payment_header::x_payment, "secret secret", networks());
    REQUIRE(garbage.has_error());
    CHECK(garbage.error().message().find("secret") == std::string::npos);
}

TEST_CASE("optional members may be null, and other payloads are left to the facilitator", "[x402][payment]")
{
    json::object message = v2_payment(usdc_requirement());
    message["resource"] = nullptr;
    message["extensions"] = nullptr;
    CHECK(decode_v2(message).has_value());

    json::object delegated = v2_payment(usdc_requirement());
    json::object payload;
    payload["delegationManager"] = seller;
    delegated["payload"] = payload;
    const auto decoded = decode_v2(delegated);
    REQUIRE(decoded.has_value());
    CHECK(decoded->kind == payment_kind::other);
}

TEST_CASE(
    "what decides nothing may have any shape, and numbers be written as languages write them",
    "[x402][payment]"
)
{
    const payment_requirement wanted = usdc_requirement();
    const auto taken = [&](const std::string& path, const json::value& value) {
        json::object message = v2_payment(wanted);
        at(message, path) = value;
        const auto decoded = decode_v2(message);
        return decoded.has_value() && decoded->text.size() > 0;
    };
    for (const json::value& each :
         {json::value(json::array()), json::value("https://example.test"), json::value(7)})
    {
        CHECK(taken("resource", each));
        CHECK(taken("extensions", each));
    }
    CHECK(taken("x402Version", 2.0));
    CHECK_FALSE(taken("x402Version", 2.5));
    CHECK_FALSE(taken("x402Version", 1e300));
    CHECK_FALSE(taken("x402Version", "2"));
    // What binds money stays strict.
    CHECK_FALSE(taken("payload/authorization/value", 10000));
    CHECK_FALSE(taken("accepted", json::array()));
    CHECK_FALSE(taken("payload", json::array()));
}

TEST_CASE("a v1 network counts only under its v1 name", "[x402][payment]")
{
    json::object message = v1_payment();
    message["network"] = "base-mainnet";
    CHECK(decode_v1(message).value().network == "base-mainnet");
    message["network"] = "base";
    CHECK(decode_v1(message).value().network == "eip155:8453");
    message["network"] = "no-such-net";
    CHECK(decode_v1(message).value().network == "no-such-net");
}

TEST_CASE("receipts go back under the name of the version", "[x402][payment]")
{
    CHECK(receipt_header(1) == "X-PAYMENT-RESPONSE");
    CHECK(receipt_header(2) == "PAYMENT-RESPONSE");
}
