#include "catch.hpp"
#include "cli/sell/answer_verdict.hpp"
#include "cli/sell/paid_test.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;
using namespace portitor::cli::sell;

namespace {

constexpr const char* usdc = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
constexpr const char* seller = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

api::payment_route terms()
{
    api::payment_route out;
    out.price = 1000;
    out.asset = usdc;
    out.network = "eip155:84532";
    out.pay_to = seller;
    return out;
}

http::response demand(const std::string& amount, const std::string& pay_to = seller)
{
    http::response out = http::make_response(http::status::payment_required, "{}");
    out.set("X-Portitor-Route", "shop/hello");
    out.set(
        "PAYMENT-REQUIRED",
        x402::encode_base64(
            R"({"x402Version":2,"accepts":[{"scheme":"exact","network":"eip155:84532","amount":")" + amount +
            R"(","asset":")" + usdc + R"(","payTo":")" + pay_to + R"("}]})"
        )
    );
    return out;
}

answer_level level_of(const http::response& answer, expected_answer expected)
{
    static const auto networks = x402::network_table::built_in();
    expected.networks = &networks;
    return judge_answer(answer, expected).level;
}

}  // namespace

TEST_CASE("an unpaid answer is judged by the offer's terms", "[cli][sell]")
{
    const expected_answer expected{"shop/hello", terms(), "", nullptr};
    CHECK(level_of(demand("1000"), expected) == answer_level::good);
    CHECK(level_of(demand("999"), expected) == answer_level::bad);
    CHECK(level_of(demand("1000", usdc), expected) == answer_level::bad);
    CHECK(level_of(demand("1000"), {"shop/other", terms(), "", nullptr}) == answer_level::bad);
    CHECK(level_of(demand("1"), {"shop/hello", std::nullopt, "", nullptr}) == answer_level::good);
    http::response foreign = demand("1000");
    foreign.erase("X-Portitor-Route");
    CHECK(level_of(foreign, expected) == answer_level::bad);
    http::response garbled = demand("1000");
    garbled.set("PAYMENT-REQUIRED", "[[[");
    CHECK(level_of(garbled, expected) == answer_level::bad);
    CHECK(level_of(http::make_response(http::status::ok, "hello"), expected) == answer_level::warning);
    for (const auto code :
         {http::status::not_found,
          http::status::forbidden,
          http::status::found,
          http::status::service_unavailable,
          http::status::conflict})
        CHECK(level_of(http::make_response(code, ""), expected) == answer_level::bad);
}

TEST_CASE("a refusal says why", "[cli][sell]")
{
    const auto said = [](unsigned code, const std::string& body, bool by_gate = true) {
        http::response answer = http::make_response(static_cast<http::status>(code), body);
        if (by_gate)
            answer.set("X-Portitor-Route", "shop/hello");
        return judge_answer(answer, {"shop/hello", terms(), "", nullptr}).words;
    };
    CHECK(has(said(403, R"({"error":"wrong_method","message":"m"})"), "spec.routes[].methods"));
    CHECK(has(
        said(403, R"({"error":"outside_route","message":"not one of the route's"})"), "not one of the route's"
    ));
    CHECK(has(said(400, R"({"error":"bad_request","message":"two ways"})"), "two ways"));
    CHECK(has(said(429, "", false), "limits"));
    // Whoever is not the gate says nothing in its name.
    CHECK(!has(said(403, R"({"error":"wrong_method","message":"m"})", false), "methods"));
    CHECK(!has(said(403, "[[["), "[[["));
    // A free path is refused alike.
    api::payment_route free = terms();
    free.rules.emplace_back();
    free.rules.back().pattern = api::path_pattern::parse("/*").value();
    free.rules.back().access = api::gate::free;
    http::response two_ways =
        http::make_response(http::status::bad_request, R"({"error":"bad_request","message":"two ways"})");
    CHECK(level_of(two_ways, {"shop/hello", free, "/x", nullptr}) == answer_level::good);
    two_ways.set("X-Portitor-Route", "shop/hello");
    CHECK(level_of(two_ways, {"shop/hello", free, "/x", nullptr}) == answer_level::bad);
}

TEST_CASE("a path has terms of its own", "[cli][sell]")
{
    api::payment_route own = terms();
    api::payment_rule free;
    free.pattern = api::path_pattern::parse("/docs").value();
    free.access = api::gate::free;
    api::payment_rule dear;
    dear.pattern = api::path_pattern::parse("/report").value();
    dear.price = 5000;
    own.rules = {free, dear};
    CHECK(level_of(demand("5000"), {"shop/hello", own, "/report", nullptr}) == answer_level::good);
    CHECK(level_of(demand("1000"), {"shop/hello", own, "/report", nullptr}) == answer_level::bad);
    CHECK(level_of(demand("1000"), {"shop/hello", own, "/docs", nullptr}) == answer_level::bad);
    CHECK(
        level_of(http::make_response(http::status::ok, ""), {"shop/hello", own, "/docs", nullptr}) ==
        answer_level::good
    );
}

TEST_CASE("nothing is paid but what the offer says", "[cli][sell]")
{
    const auto known = x402::network_table::built_in();
    const expected_answer expected{"shop/hello", terms(), "", &known};
    const auto asked = [&] {
        x402::payment_option out;
        out.wanted.network = "eip155:84532";
        out.wanted.amount = 1000;
        out.wanted.asset = usdc;
        out.wanted.pay_to = seller;
        out.chain_id = 84532;
        return out;
    };
    const auto chosen = [&](std::vector<x402::payment_option> options, const expected_answer& of) {
        x402::offered_terms all;
        all.version = 2;
        all.options = std::move(options);
        const auto found = choose_as_sold(all, of, {}, known);
        return found ? to_string((*found)->wanted.amount) : found.error().message();
    };
    CHECK(chosen({asked()}, expected) == "1000");
    CHECK(has(chosen({asked()}, {"shop/hello", std::nullopt, "", &known}), "terms cannot be read"));
    auto cheap = asked();
    cheap.wanted.amount = 999;
    auto theirs = asked();
    theirs.wanted.pay_to = usdc;
    auto elsewhere = asked();
    elsewhere.wanted.network = "eip155:80002";
    auto other_token = asked();
    other_token.wanted.asset = seller;
    for (const auto& each : {cheap, theirs, elsewhere, other_token})
        CHECK(has(chosen({each}, expected), "has the offer's price, token, network and receiver"));
    // The offer's own is found behind others.
    CHECK(chosen({cheap, theirs, asked()}, expected) == "1000");

    api::payment_route own = terms();
    own.network = "eip155:8453";
    own.asset = known.find("base")->default_token()->address;
    auto real = asked();
    real.wanted.network = own.network;
    real.wanted.asset = own.asset;
    real.chain_id = 8453;
    CHECK(has(chosen({real}, {"shop/hello", own, "", &known}), "--allow-mainnet"));
    own = terms();
    own.price = 1'000'000;
    auto dear = asked();
    dear.wanted.amount = 1'000'000;
    CHECK(has(chosen({dear}, {"shop/hello", own, "", &known}), "--max-amount"));
    api::payment_rule free;
    free.pattern = api::path_pattern::parse("/docs").value();
    free.access = api::gate::free;
    own = terms();
    own.rules = {free};
    CHECK(is_as_sold(asked().wanted, {"shop/hello", own, "/other", &known}));
    CHECK_FALSE(is_as_sold(asked().wanted, {"shop/hello", own, "/docs", &known}));
}
