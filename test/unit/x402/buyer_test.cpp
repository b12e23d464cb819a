#include "catch.hpp"
#include "samples.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/buyer.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment_required.hpp>
#include <portitor/x402/signature.hpp>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

// The key of samples::payer, which anyone may know.
evm::private_key payer_key()
{
    return evm::private_key::parse("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
        .value();
}

const evm::word some_nonce = evm::keccak256("never used before");

offered_terms terms_of(const payment_requirement& wanted, int version)
{
    const payment_required asked = make_payment_required({&wanted, 1}, "payment required");
    return read_terms(asked.header_value, asked.body, networks(), version).value();
}

/// A payment as the buyer makes it, as the seller reads it.
payment sold(const offered_terms& terms)
{
    const auto made = make_payment(terms, terms.options.at(0), payer_key(), now(), some_nonce);
    return decode_payment(made.value().header, made.value().value, networks()).value();
}

json::object v2_terms(const payment_requirement& wanted)
{
    json::object out;
    out["x402Version"] = 2;
    out["accepts"] = json::array{json::parse(v2_json(wanted))};
    return out;
}

result<offered_terms> read_v2(const json::object& message)
{
    return read_terms(encode(message), "", networks());
}

std::string why_not(const json::object& message)
{
    const auto read = read_v2(message);
    if (!read)
        return read.error().message();
    CHECK(read->options.empty());
    return read->passed_over.at(0);
}

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a seller takes what a buyer makes of his terms", "[x402][buyer]")
{
    const auto [wanted, version] = GENERATE(
        std::pair(usdc_requirement(), 2),
        std::pair(usdc_requirement(), 1),
        std::pair(permit2_requirement(), 2)
    );
    CAPTURE(version, wanted.asset_name);
    const offered_terms terms = terms_of(wanted, version);
    REQUIRE(terms.options.size() == 1);
    CHECK(terms.version == version);
    CHECK(terms.error == "payment required");
    CHECK(terms.passed_over.empty());
    CHECK(terms.options[0].chain_id == 84532);
    CHECK(terms.options[0].wanted.resource_url == wanted.resource_url);

    const payment offered = sold(terms);
    CHECK(offered.version == version);
    CHECK(offered.payer.to_checksum() == payer);
    const auto matched = match(offered, {&wanted, 1});
    REQUIRE(std::holds_alternative<const payment_requirement*>(matched));
    CHECK(check_signature(offered, wanted) == signature_verdict::valid);
    CHECK_FALSE(time_refusal(offered, wanted, now()));
    CHECK(offered.valid_before == u256(now_seconds + 60));
}

TEST_CASE("a signature is for one token, chain and payee", "[x402][buyer]")
{
    const payment offered = sold(terms_of(usdc_requirement(), 2));
    payment_requirement other = usdc_requirement();
    other.network = "eip155:8453";
    CHECK(check_signature(offered, other) == signature_verdict::not_an_account);
    other = usdc_requirement();
    other.asset = permit2_requirement().asset;
    CHECK(check_signature(offered, other) == signature_verdict::not_an_account);
}

TEST_CASE("no payment is valid for longer than an hour", "[x402][buyer]")
{
    payment_requirement wanted = usdc_requirement();
    wanted.max_timeout_seconds = 315'360'000;
    const payment offered = sold(terms_of(wanted, 2));
    CHECK(offered.valid_before == u256(now_seconds + 3600));
}

TEST_CASE("terms of real servers are read", "[x402][buyer]")
{
    // The requirement that a real client accepted, in each of the recorded v2 headers.
    const json::value recorded = load("headers.json");
    std::size_t read = 0;
    for (const json::value& each : recorded.at("headers").as_array())
    {
        const auto text = decode_base64(json::value_to<std::string>(each.at("value")));
        const json::value message = json::parse(text.value());
        const auto* accepted = message.as_object().if_contains("accepted");
        if (!accepted || accepted->at("scheme") != "exact")
            continue;
        CAPTURE(json::value_to<std::string>(each.at("id")));
        const auto terms = read_v2({{"x402Version", 2}, {"accepts", json::array{*accepted}}});
        REQUIRE(terms.has_value());
        REQUIRE(terms->options.size() == 1);
        const payment made = sold(*terms);
        CHECK(*made.accepted == accepted->as_object());
        CHECK(check_signature(made, terms->options[0].wanted) == signature_verdict::valid);
        ++read;
    }
    CHECK(read >= 3);
}

TEST_CASE("a buyer signs as the reference client did", "[x402][buyer]")
{
    const json::value recorded = load("headers.json");
    std::size_t compared = 0;
    for (const json::value& each : recorded.at("headers").as_array())
    {
        const bool v1 = each.at("header") == "X-PAYMENT";
        const std::string value = json::value_to<std::string>(each.at("value"));
        const auto theirs = decode_payment(
            v1 ? payment_header::x_payment : payment_header::payment_signature, value, networks()
        );
        if (!theirs || theirs->kind != payment_kind::eip3009 || v1 || theirs->payer.to_checksum() != payer)
            continue;
        CAPTURE(json::value_to<std::string>(each.at("id")));
        const auto terms = read_v2({{"x402Version", 2}, {"accepts", json::array{*theirs->accepted}}});
        evm::word their_nonce{};
        REQUIRE(evm::parse_hex(theirs->nonce, their_nonce).has_value());
        // The time at which the buyer would choose the same end.
        const auto& option = terms.value().options.at(0);
        if (option.wanted.max_timeout_seconds > 3600)
            continue;
        const auto then = clock::time_point(std::chrono::seconds(
            static_cast<std::int64_t>(theirs->valid_before) - option.wanted.max_timeout_seconds
        ));
        const auto made = make_payment(*terms, option, payer_key(), then, their_nonce);
        const auto ours = decode_payment(made.value().header, made.value().value, networks());
        CHECK(ours.value().signature == theirs->signature);
        ++compared;
    }
    CHECK(compared >= 1);
}

TEST_CASE("resource and extensions are given back", "[x402][buyer]")
{
    json::object message = v2_terms(usdc_requirement());
    message["resource"] = json::object{{"url", "https://example.test/a"}, {"tags", json::array{"x"}}};
    message["extensions"] = json::object{{"bazaar", json::object{{"info", json::object()}}}};
    const auto terms = read_v2(message);
    const auto made = make_payment(*terms, terms->options.at(0), payer_key(), now(), some_nonce);
    const json::value sent = json::parse(decode_base64(made.value().value).value());
    CHECK(sent.at("resource") == message["resource"]);
    CHECK(sent.at("extensions") == message["extensions"]);
    CHECK(sent.at("accepted") == message["accepts"].as_array()[0]);

    message["extensions"] = json::object{{"long", std::string(20'000, 'x')}};
    const auto longer = read_v2(message);
    CHECK(
        has(make_payment(*longer, longer->options.at(0), payer_key(), now(), some_nonce).error().message(),
            "longer than 16384 bytes")
    );
}

TEST_CASE("what cannot be paid is passed over, with the reason", "[x402][buyer]")
{
    struct wrong
    {
        const char* path;
        json::value value;
        const char* told;
    };
    const wrong all[] = {
        {"scheme", "upto", "its scheme is \"upto\""},
        {"scheme", 5, "its scheme is \"\""},
        {"network", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "none of the EVM"},
        {"network", "eip155:", "none of the EVM"},
        {"network", "eip155:0", "none of the EVM"},
        {"network", "eip155:084532", "CAIP-2"},
        {"network", "eip155:18446744073709551616", "none of the EVM"},
        {"network", nullptr, "none of the EVM"},
        {"amount", "-1", "amount must be"},
        {"amount", "0x10", "amount must be"},
        {"amount", 10000, "amount must be"},
        {"amount", json::string(79, '9'), "amount must be"},
        {"amount", "0", "amount must be more than 0"},
        {"amount", "000", "amount must be more than 0"},
        {"asset", "0x12", "asset must be"},
        {"payTo", "0x0000000000000000000000000000000000000000", "payTo must be"},
        {"maxTimeoutSeconds", 0, "maxTimeoutSeconds must be"},
        {"maxTimeoutSeconds", "60", "maxTimeoutSeconds must be"},
        {"maxTimeoutSeconds", -60, "maxTimeoutSeconds must be"},
        {"maxTimeoutSeconds", 315'360'001, "maxTimeoutSeconds must be"},
        {"maxTimeoutSeconds", std::int64_t{1} << 62, "maxTimeoutSeconds must be"},
        {"payTo", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "another address than the token's own"},
        {"extra/name", "USD Coin", "USDC on eip155:84532 is \"USDC\", version \"2\""},
        {"extra/version", "1", "USDC on eip155:84532 is \"USDC\", version \"2\""},
        {"extra", nullptr, "extra must be"},
        {"extra/name", "", "extra must be"},
        {"extra/version", 2, "extra must be"},
        {"extra/assetTransferMethod", "erc7710", "\"erc7710\", is not known"},
        {"extra/assetTransferMethod", 7, "is not known"},
        {"extra/paymentFlow", "escrow", "\"escrow\" is not known"},
    };
    for (const wrong& each : all)
    {
        CAPTURE(each.path, each.told);
        json::object message = v2_terms(usdc_requirement());
        at(message["accepts"].as_array()[0].as_object(), each.path) = each.value;
        const std::string told = why_not(message);
        CHECK(has(told, each.told));
        CHECK(has(told, "accepts[0]"));
        CHECK(told.size() < 250);
    }
    json::object message = v2_terms(usdc_requirement());
    message["accepts"].as_array()[0] = "nothing";
    CHECK(has(why_not(message), "no object"));
}

TEST_CASE("what is no 402 of x402 is refused", "[x402][buyer]")
{
    const auto refused =
        [](std::optional<std::string_view> header, std::string_view body, std::optional<int> v) {
            const auto read = read_terms(header, body, networks(), v);
            REQUIRE(read.has_error());
            CHECK(read.error().code() == errc::protocol);
            return read.error().message();
        };
    CHECK(has(refused({}, "", {}), "no header PAYMENT-REQUIRED"));
    CHECK(has(refused({}, "<html>", {}), "none of x402 v1"));
    CHECK(has(refused({}, "{}", 2), "none of x402 v2"));
    CHECK(has(refused("***", "{}", {}), "header PAYMENT-REQUIRED"));
    CHECK(has(refused(encode_base64("{\"x402Version\":1}"), "", {}), "x402Version must be 2"));
    CHECK(has(refused(encode_base64("{\"x402Version\":2}"), "", {}), "accepts must be a list"));
    CHECK(has(refused({}, "{\"x402Version\":2,\"accepts\":[]}", {}), "x402Version must be 1"));
    CHECK(has(refused({}, "{\"x402Version\":1,\"accepts\":[]}", {}), "accepts is empty"));
    CHECK(has(refused(encode_base64("{\"x402Version\":2,\"accepts\":[]}"), "", {}), "accepts is empty"));
    CHECK(has(refused(std::string(max_terms + 1, 'a'), "", {}), "longer than"));
    CHECK(has(refused({}, std::string(max_terms + 1, ' '), {}), "longer than"));

    json::object many = v2_terms(usdc_requirement());
    many["accepts"].as_array().resize(max_accepts + 1);
    CHECK(has(refused(encode(many), "", {}), "more than 64"));
}

TEST_CASE("both versions can be asked for where both are there", "[x402][buyer]")
{
    const payment_requirement wanted = usdc_requirement();
    const payment_required asked = make_payment_required({&wanted, 1}, "");
    CHECK(read_terms(asked.header_value, asked.body, networks()).value().version == 2);
    CHECK(read_terms(asked.header_value, asked.body, networks(), 1).value().version == 1);
    CHECK(read_terms({}, asked.body, networks()).value().version == 1);
}

TEST_CASE("a 402 whose header and body ask for different things is refused", "[x402][buyer]")
{
    const payment_requirement wanted = usdc_requirement();
    const auto read = [&](const payment_requirement& in_body, std::optional<int> version) {
        const payment_required header = make_payment_required({&wanted, 1}, "");
        const payment_required body = make_payment_required({&in_body, 1}, "");
        return read_terms(header.header_value, body.body, networks(), version);
    };
    const auto version = GENERATE(std::optional<int>(), std::optional(1), std::optional(2));
    CHECK(read(wanted, version).has_value());
    payment_requirement other = wanted;
    other.amount = 10001;
    const auto dearer = read(other, version);
    REQUIRE(dearer.has_error());
    CHECK(dearer.error().code() == errc::protocol);
    CHECK(has(dearer.error().message(), "asks for 10000 units of 0x036C"));
    CHECK(has(dearer.error().message(), "its body for 10001 to"));
    other = wanted;
    other.pay_to = payer;
    CHECK(has(read(other, version).error().message(), "contradicts itself"));
    // Another token is another way to pay, and v2 may say the same twice.
    other = make_requirement(*networks().find("base"), *networks().find("base")->default_token());
    other.pay_to = seller;
    other.amount = 1;
    other.resource_url = wanted.resource_url;
    CHECK(read(other, version).has_value());
    const std::string same = json::serialize(v2_terms(wanted));
    CHECK(read_terms(encode_base64(same), same, networks()).has_value());
    json::object dear = v2_terms(wanted);
    dear["accepts"].as_array()[0].as_object()["amount"] = "20000";
    CHECK(read_terms(encode_base64(same), json::serialize(dear), networks()).has_error());
}

TEST_CASE("money that anybody on the way could take is not sent", "[x402][buyer]")
{
    payment_requirement real =
        make_requirement(*networks().find("base"), *networks().find("base")->default_token());
    real.pay_to = seller;
    real.amount = 1;
    spending_rules rules{.networks = {}, .main_networks = true, .in_clear = true};
    const offered_terms terms = terms_of(real, 2);
    CHECK(has(choose(terms, rules, networks()).error().message(), "--allow-http"));
    CHECK(choose(terms_of(usdc_requirement(), 2), rules, networks()).has_value());
    rules.main_networks_in_clear = true;
    CHECK(choose(terms, rules, networks()).has_value());
}

TEST_CASE("the server's words are read from any terms", "[x402][buyer]")
{
    CHECK(words_in_terms(encode({{"error", "no"}, {"accepts", json::array()}})) == "no");
    CHECK(words_in_terms("***").empty());
    CHECK(words_in_terms(encode({{"error", 5}})).empty());
}

TEST_CASE("the buyer's rules decide what is paid", "[x402][buyer]")
{
    const auto told = [](const payment_requirement& wanted, const spending_rules& rules) {
        const offered_terms terms = terms_of(wanted, 2);
        const auto chosen = choose(terms, rules, networks());
        return chosen ? std::string("chosen") : chosen.error().message();
    };
    payment_requirement wanted = usdc_requirement();
    CHECK(told(wanted, {}) == "chosen");
    wanted.amount = 10001;
    CHECK(
        has(told(wanted, {}), "0.010001 USDC on Base Sepolia: it is more than the 0.01 USDC of --max-amount")
    );
    CHECK(told(wanted, {.networks = {}, .most = "0.02"}) == "chosen");
    CHECK(has(told(wanted, {.networks = {}, .most = "0.0000001"}), "--max-amount for USDC"));
    CHECK(has(told(wanted, {.networks = {"avalanche-fuji"}}), "--network"));
    CHECK(told(wanted, {.networks = {"avalanche-fuji", "base-sepolia"}, .most = "1"}) == "chosen");
    CHECK(told(wanted, {.networks = {"eip155:84532"}, .most = "1"}) == "chosen");

    payment_requirement real =
        make_requirement(*networks().find("base"), *networks().find("base")->default_token());
    real.pay_to = seller;
    real.amount = 1;
    CHECK(has(told(real, {}), "eip155:8453 is no test network that is known here"));
    CHECK(has(told(real, {.networks = {"base"}}), "--allow-mainnet"));
    CHECK(told(real, {.networks = {}, .main_networks = true}) == "chosen");
    real.network = "eip155:999999999";
    CHECK(has(told(real, {}), "--allow-mainnet"));

    wanted.asset = "0x1111111111111111111111111111111111111111";
    CHECK(has(told(wanted, {}), "--max-atomic-amount says"));
    CHECK(has(told(wanted, {.networks = {}, .most_atomic = u256(10000)}), "more than the 10000"));
    CHECK(told(wanted, {.networks = {}, .most_atomic = u256(10001)}) == "chosen");
}

TEST_CASE("the first option that the rules allow is chosen", "[x402][buyer]")
{
    payment_requirement dear = usdc_requirement();
    dear.amount = 5'000'000;
    json::object message = v2_terms(dear);
    message["accepts"].as_array().push_back(json::parse(v2_json(usdc_requirement())));
    message["accepts"].as_array().push_back(json::parse(v2_json(permit2_requirement())));
    const auto terms = read_v2(message);
    const auto chosen = choose(*terms, {}, networks());
    REQUIRE(chosen.has_value());
    CHECK(*chosen == &terms->options.at(1));
}

TEST_CASE("only what is known as a test network is one", "[x402][buyer]")
{
    for (const std::uint64_t id : {84532, 11155111, 80002, 43113, 421614, 31337, 1337})
        CHECK(is_test_network(id));
    for (const char* name :
         {"base", "ethereum", "polygon", "avalanche", "arbitrum", "sei", "celo", "megaeth"})
        CHECK_FALSE(is_test_network(networks().find(name)->chain_id));
    CHECK_FALSE(is_test_network(0));
    CHECK_FALSE(is_test_network(123456));
}

TEST_CASE("receipts are read", "[x402][buyer]")
{
    const auto good = read_receipt(
        encode({{"success", true}, {"transaction", "0xab"}, {"network", "eip155:84532"}, {"payer", payer}})
    );
    REQUIRE(good.has_value());
    CHECK(good->success);
    CHECK(good->transaction == "0xab");
    CHECK(good->payer == payer);
    const auto bad = read_receipt(
        encode({{"success", false}, {"errorReason", "insufficient_funds"}, {"errorMessage", "no money"}})
    );
    CHECK_FALSE(bad.value().success);
    CHECK(bad->reason == "insufficient_funds: no money");
    for (const std::string& text :
         {std::string(),
          std::string("*"),
          encode_base64("[]"),
          encode({{"success", "yes"}}),
          std::string(20'000, 'a')})
        CHECK(read_receipt(text).error().code() == errc::protocol);
}

TEST_CASE("a receipt of something else is noticed", "[x402][buyer]")
{
    const offered_terms terms = terms_of(usdc_requirement(), 1);
    const auto told = [&](receipt got) {
        return doubt_about(got, evm::address::parse(payer).value(), &terms.options.at(0));
    };
    const std::string hash = "0x" + std::string(64, 'a');
    CHECK(told({true, hash, "eip155:84532", payer, ""}).empty());
    CHECK(told({true, hash, "base-sepolia", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", ""}).empty());
    CHECK(told({true, "", "", "", ""}).empty());
    CHECK(has(told({true, hash, "eip155:84532", seller, ""}), "another payer, 0x2096"));
    CHECK(has(told({true, hash, "eip155:84532", "me", ""}), "another payer, me"));
    CHECK(has(told({true, hash, "eip155:8453", payer, ""}), "another network, eip155:8453"));
    CHECK(has(told({true, "0x1", "eip155:84532", payer, ""}), "its transaction, 0x1, is none"));
}
