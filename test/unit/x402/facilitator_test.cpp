#include "catch.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/facilitator.hpp>

#include <optional>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;

namespace {

// Answers every request alike and keeps the last one.
struct canned_client final : http::client
{
    std::optional<error> failure;
    unsigned status = 200;
    std::string body;
    std::string retry_after;
    std::string location;

    http::origin server;
    http::request message;
    http::client_options options;
    int requests = 0;

    asio::awaitable<result<http::response>>
    send(http::origin to, http::request request, http::client_options with) override
    {
        ++requests;
        server = std::move(to);
        message = std::move(request);
        options = with;
        if (failure)
            co_return *failure;
        auto answer = http::make_response(static_cast<http::status>(status), body, "application/json");
        if (!retry_after.empty())
            answer.set(http::field::retry_after, retry_after);
        if (!location.empty())
            answer.set(http::field::location, location);
        co_return answer;
    }

    asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin, http::request, http::client_options) override
    {
        co_return fail(errc::invalid, "a facilitator has nothing to stream");
    }

    result<void> use_tls(const http::tls_settings&) override
    {
        return fail(errc::invalid, "a facilitator has no certificates of its own");
    }
};

struct fixture
{
    asio::io_context context;
    canned_client client;
    http_facilitator facilitator{client};
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    std::string url = "https://facilitator.test/x402";

    verify_outcome verify()
    {
        return portitor::test::run(
            context, facilitator.verify(url, offered, wanted, {}, std::chrono::seconds(3))
        );
    }

    settle_outcome settle()
    {
        return portitor::test::run(
            context, facilitator.settle(url, offered, wanted, {}, std::chrono::seconds(3))
        );
    }

    // "valid", "unavailable" or "invalid <reason>".
    std::string verified(unsigned status, std::string body)
    {
        client.status = status;
        client.body = std::move(body);
        const verify_outcome outcome = verify();
        if (const auto* invalid = std::get_if<verify_invalid>(&outcome))
            return "invalid " + invalid->reason;
        return std::holds_alternative<verify_valid>(outcome) ? "valid" : "unavailable";
    }

    // "settled <transaction>", "unknown", "failed <transaction>", "not sent" or "refused <reason>".
    std::string settled(unsigned status, std::string body)
    {
        client.status = status;
        client.body = std::move(body);
        const settle_outcome outcome = settle();
        if (const auto* refused = std::get_if<settle_refused>(&outcome))
            return "refused " + refused->reason;
        if (const auto* done = std::get_if<settle_settled>(&outcome))
            return "settled " + done->transaction;
        if (const auto* unknown = std::get_if<settle_unknown>(&outcome))
            return unknown->failed ? "failed " + unknown->transaction : "unknown";
        return "not sent";
    }
};

// A transaction of the EVM.
const std::string hash = "0x" + std::string(60, '0') + "e16d";

std::string success(const std::string& more)
{
    return R"({"success":true,"transaction":")" + hash + R"(","network":"eip155:84532",)" + more + "}";
}

json::object settlement(std::string_view network = "eip155:84532")
{
    json::object out;
    out["success"] = true;
    out["transaction"] = hash;
    out["network"] = network;
    return out;
}

}  // namespace

TEST_CASE("the facilitator gets the payment as it came and our requirement", "[x402][facilitator]")
{
    fixture f;
    json::object payment = v2_payment(f.wanted);
    at(payment, "accepted/extra/lie") = "unsigned";
    f.offered = decode_v2(payment).value();
    f.client.body = R"({"isValid":true})";
    f.verify();
    CHECK(f.client.server.to_string() == "https://facilitator.test");
    CHECK(f.client.message.method() == http::verb::post);
    CHECK(f.client.message.target() == "/x402/verify");
    CHECK(f.client.message[http::field::content_type] == "application/json");
    CHECK(f.client.options.timeout == std::chrono::seconds(3));
    CHECK(f.client.options.max_body == 64 * 1024);
    const json::value body = json::parse(f.client.message.body());
    CHECK(body.at("x402Version") == 2);
    CHECK(body.at("paymentPayload") == json::value(payment));
    CHECK(body.at("paymentRequirements") == json::parse(v2_json(f.wanted)));
    CHECK(body.as_object().size() == 3);

    f.settle();
    CHECK(f.client.message.target() == "/x402/settle");
    CHECK(json::parse(f.client.message.body()) == body);
}

TEST_CASE("a v1 payment is sent in v1", "[x402][facilitator]")
{
    fixture f;
    f.offered = decode_v1(v1_payment()).value();
    f.client.body = R"({"isValid":true})";
    f.verify();
    const json::value body = json::parse(f.client.message.body());
    CHECK(body.at("x402Version") == 1);
    CHECK(body.at("paymentPayload") == json::value(v1_payment()));
    CHECK(body.at("paymentRequirements") == json::parse(v1_json(f.wanted)));
}

TEST_CASE("base URLs are joined with care", "[x402][facilitator]")
{
    const std::pair<const char*, const char*> urls[] = {
        {"https://f.test", "/verify"},
        {"https://f.test/", "/verify"},
        {"https://f.test/a/b//", "/a/b/verify"},
        {"http://127.0.0.1:4021/a", "/a/verify"},
    };
    for (const auto& [url, target] : urls)
    {
        fixture f;
        f.url = url;
        f.verify();
        CHECK(f.client.message.target() == target);
    }
    for (const char* url : {"", "f.test", "ftp://f.test", "https://f.test/?key=1"})
    {
        fixture f;
        f.url = url;
        INFO(url);
        CHECK(f.verified(200, R"({"isValid":true})") == "unavailable");
        CHECK(f.settled(200, success(R"("a":1)")) == "not sent");
        CHECK(f.client.requests == 0);
    }
}

TEST_CASE("verify answers are judged by the body, whatever the status", "[x402][facilitator]")
{
    fixture f;
    const std::string ours = R"("payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8")";
    for (const unsigned status : {200U, 400U, 402U, 500U})
    {
        CHECK(f.verified(status, R"({"isValid":true,)" + ours + "}") == "valid");
        CHECK(
            f.verified(status, R"({"isValid":false,"invalidReason":"insufficient_funds"})") ==
            "invalid insufficient_funds"
        );
        CHECK(f.verified(status, "<html>Bad gateway</html>") == "unavailable");
        CHECK(f.verified(status, R"({"error":"nope"})") == "unavailable");
    }
    CHECK(f.verified(200, R"({"isValid":true,"payer":null,"extra":{"a":[1]}})") == "valid");
    CHECK(f.verified(200, R"({"isValid":false})") == "invalid unexpected_verify_error");
}

TEST_CASE("a lying or malformed verify answer is none", "[x402][facilitator]")
{
    fixture f;
    const char* answers[] = {
        "",
        "true",
        "[]",
        R"({"isValid":"true"})",
        R"({"isValid":1})",
        R"({"isValid":null})",
        R"({"isvalid":true})",
        R"({"isValid":false,"isValid":true})",
        R"({"isValid":true,"payer":"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"})",
        R"({"isValid":true,"payer":7})",
        R"({"isValid":false,"invalidReason":{"code":1}})",
        R"({"isValid":true)",
    };
    for (const char* answer : answers)
    {
        INFO(answer);
        CHECK(f.verified(200, answer) == "unavailable");
    }
    f.client.body = R"({"isValid":true,"pad":")" + std::string(70'000, 'x') + "\"}";
    const verify_outcome outcome = f.verify();
    REQUIRE(std::holds_alternative<verify_unavailable>(outcome));
    CHECK(std::get<verify_unavailable>(outcome).failure.code() == errc::protocol);
}

TEST_CASE("reasons that are no codes are not passed on", "[x402][facilitator]")
{
    fixture f;
    CHECK(
        f.verified(200, R"({"isValid":false,"invalidReason":"<script>\n"})") ==
        "invalid unexpected_verify_error"
    );
    CHECK(
        f.verified(200, R"({"isValid":false,"invalidReason":")" + std::string(200, 'a') + "\"}") ==
        "invalid unexpected_verify_error"
    );
    CHECK(f.verified(200, R"({"isValid":false,"invalidReason":"a_new_code"})") == "invalid a_new_code");
}

TEST_CASE("a settlement is told with its receipt", "[x402][facilitator]")
{
    fixture f;
    f.client.body = success(
        R"("payer":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","amount":"10000","extensions":{"x":1},"other":"y")"
    );
    const settle_outcome outcome = f.settle();
    REQUIRE(std::holds_alternative<settle_settled>(outcome));
    const settle_settled& done = std::get<settle_settled>(outcome);
    CHECK(done.transaction == hash);
    json::object receipt = settlement();
    receipt["payer"] = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
    receipt["amount"] = "10000";
    CHECK(done.receipt == receipt);
}

TEST_CASE("a v1 settlement may name the network either way", "[x402][facilitator]")
{
    fixture f;
    const std::string named = json::serialize(settlement("base-sepolia"));
    CHECK(f.settled(200, named) == "unknown");
    f.offered = decode_v1(v1_payment()).value();
    CHECK(f.settled(200, named) == "settled " + hash);
    CHECK(f.settled(200, json::serialize(settlement())) == "settled " + hash);
    CHECK(f.settled(200, json::serialize(settlement("base"))) == "unknown");
}

TEST_CASE("a success whose receipt is not about this payment leaves it in doubt", "[x402][facilitator]")
{
    fixture f;
    const auto settled_with = [&](const char* name, const json::value& value) {
        json::object answer = settlement();
        answer[name] = value;
        return f.settled(200, json::serialize(answer));
    };
    const std::string digits(64, 'a');
    CHECK(settled_with("transaction", json::string("0x" + digits)) == "settled 0x" + digits);
    for (const std::string& bad :
         {std::string("x"),
          std::string("0x1"),
          digits,
          "0x" + digits + "a",
          "0X" + digits,
          "0xg" + digits.substr(1)})
        CHECK(settled_with("transaction", json::string(bad)) == "unknown");

    CHECK(settled_with("amount", nullptr) == "settled " + hash);
    CHECK(settled_with("amount", "10000") == "settled " + hash);
    for (const json::value& bad :
         {json::value("1"),
          json::value("10001"),
          json::value("0"),
          json::value(""),
          json::value("10000.0"),
          json::value(10000)})
        CHECK(settled_with("amount", bad) == "unknown");

    // Other networks write their transactions otherwise.
    f.wanted.network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
    json::object elsewhere = settlement(f.wanted.network);
    elsewhere["transaction"] =
        "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW";
    CHECK(f.settled(200, json::serialize(elsewhere)).starts_with("settled 5VER"));
}

TEST_CASE("a redirect and a demand for credentials are told as such", "[x402][facilitator]")
{
    fixture f;
    const auto words = [&](unsigned status, facilitator_trouble expected, const std::string& location = {}) {
        f.client.status = status;
        f.client.location = location;
        f.client.body = "Redirecting...";
        const verify_outcome verified = f.verify();
        const settle_outcome settled = f.settle();
        CHECK(std::get<verify_unavailable>(verified).trouble == expected);
        CHECK(std::get<settle_unknown>(settled).trouble == expected);
        return std::get<verify_unavailable>(verified).failure.message();
    };
    using trouble = facilitator_trouble;
    const std::string start = "facilitator verify (status 308): it redirects to ";
    const std::string end = ", which is not followed: name the address that answers";
    CHECK(
        words(308, trouble::redirect, "https://www.f.test/x402/verify?key=SECRET#SECRET") ==
        start + "https://www.f.test/x402/verify" + end
    );
    CHECK(words(308, trouble::redirect, "/elsewhere?key=SECRET") == start + "/elsewhere" + end);
    for (const std::string& odd :
         {std::string(),
          std::string("https://SECRET@f.test/"),
          std::string("//SECRET"),
          std::string(400, '/'),
          std::string("ftp://SECRET")})
        CHECK(words(308, trouble::redirect, odd) == start + "an address that cannot be shown" + end);
    for (const unsigned status : {301U, 302U, 307U})
        CHECK(words(status, trouble::redirect, "/a").find("it redirects to /a") != std::string::npos);
    for (const unsigned status : {401U, 403U})
    {
        CHECK(words(status, trouble::credentials)
                  .ends_with("the facilitator wants credentials: the operator's to mend"));
        // With a judgement it is an answer.
        CHECK(
            f.verified(status, R"({"isValid":false,"invalidReason":"insufficient_funds"})") ==
            "invalid insufficient_funds"
        );
    }
    CHECK(words(404, trouble::none).find("not valid JSON") != std::string::npos);
    CHECK(words(502, trouble::no_answer).find("not valid JSON") != std::string::npos);
}

TEST_CASE("what kept an answer away is told apart", "[x402][facilitator]")
{
    const std::pair<errc, facilitator_trouble> failures[] = {
        {errc::unavailable, facilitator_trouble::unreached},
        {errc::timed_out, facilitator_trouble::slow},
        {errc::protocol, facilitator_trouble::no_answer},
        {errc::canceled, facilitator_trouble::none},
    };
    for (const auto& [code, expected] : failures)
    {
        fixture f;
        f.client.failure = error(code, "");
        INFO(to_string(expected));
        const verify_outcome verified = f.verify();
        CHECK(std::get<verify_unavailable>(verified).trouble == expected);
        const settle_outcome settled = f.settle();
        if (code == errc::unavailable)
            CHECK(std::get<settle_not_sent>(settled).trouble == expected);
        else
            CHECK(std::get<settle_unknown>(settled).trouble == expected);
    }
}

TEST_CASE("a settlement that is surely refused says why", "[x402][facilitator]")
{
    fixture f;
    for (const unsigned status : {200U, 400U, 402U, 500U, 503U})
    {
        INFO(status);
        // A nonce that was seen used is, whatever else is wrong there.
        CHECK(
            f.settled(
                status,
                R"({"success":false,"errorReason":"invalid_exact_evm_nonce_already_used","transaction":"","network":""})"
            ) == "refused invalid_exact_evm_nonce_already_used"
        );
        CHECK(
            f.settled(status, R"({"success":false,"errorReason":"duplicate_settlement"})") ==
            "refused duplicate_settlement"
        );
        // Who has a fault cannot vouch for having stopped in time.
        CHECK(
            f.settled(status, R"({"success":false,"errorReason":"insufficient_funds","transaction":null})") ==
            (status < 500 ? "refused insufficient_funds" : "unknown")
        );
    }
}

TEST_CASE("a transaction that failed on the chain is told apart", "[x402][facilitator]")
{
    fixture f;
    for (const char* code :
         {"invalid_exact_evm_transaction_failed",
          "invalid_transaction_state",
          "invalid_exact_evm_transfer_event_mismatch",
          "invalid_new_scheme_transaction_failed"})
    {
        const std::string start = std::string(R"({"success":false,"errorReason":")") + code + '"';
        for (const unsigned status : {200U, 400U, 500U})
            CHECK(f.settled(status, start + R"(,"transaction":"0xf1"})") == "failed 0xf1");
        // Without one, or with one that is none, it may be that the facilitator lost sight of it.
        CHECK(f.settled(200, start + R"(,"transaction":""})") == "unknown");
        CHECK(f.settled(200, start + R"(,"transaction":"a b"})") == "unknown");
    }
    // One that is under way is remembered too, for the receipt.
    f.client.body = R"({"success":false,"errorReason":"settlement_pending","transaction":"0xf2"})";
    const settle_outcome pending = f.settle();
    CHECK(std::get<settle_unknown>(pending).transaction == "0xf2");
    CHECK_FALSE(std::get<settle_unknown>(pending).failed);
}

TEST_CASE("a v1 refusal by the chain is told as a code, never as its text", "[x402][facilitator]")
{
    fixture f;
    f.offered = decode_v1(v1_payment()).value();
    const std::pair<const char*, const char*> texts[] = {
        {"FiatTokenV2: authorization is used or canceled", "refused invalid_exact_evm_nonce_already_used"},
        {"ERC20: transfer amount exceeds balance", "refused invalid_exact_evm_insufficient_balance"},
        {"FiatTokenV2: invalid signature", "refused invalid_exact_evm_transaction_simulation_failed"},
    };
    for (const auto& [text, expected] : texts)
    {
        const std::string reason =
            std::string("The contract function \"x\" reverted with the following reason:\n") + text +
            "\n\nContract Call:\n  args: (0xsecret)";
        json::object answer;
        answer["success"] = false;
        answer["transaction"] = "";
        answer["network"] = "base-sepolia";
        answer["errorReason"] = reason;
        INFO(text);
        CHECK(f.settled(200, json::serialize(answer)) == expected);
        answer["transaction"] = "0x1";
        CHECK(f.settled(200, json::serialize(answer)) == "unknown");
    }
    // Any other text tells nothing certain, and is not repeated.
    f.client.body = R"j({"success":false,"transaction":"","errorReason":"HTTP request failed: (0xsecret)"})j";
    const settle_outcome outcome = f.settle();
    REQUIRE(std::holds_alternative<settle_unknown>(outcome));
    CHECK(std::get<settle_unknown>(outcome).failure.message().find("secret") == std::string::npos);
}

TEST_CASE("a used nonce of Permit2 is told by the selector of its error", "[x402][facilitator]")
{
    fixture f;
    const auto told = [&f](const std::string& selector, const char* transaction) {
        json::object answer;
        answer["success"] = false;
        answer["transaction"] = transaction;
        answer["network"] = "eip155:84532";
        // As @x402/evm 2.27.0 says it.
        answer["errorReason"] =
            "invalid_exact_evm_transaction_failed: The contract function \"settle\" reverted with the "
            "following signature:\n" +
            selector + "\n\nUnable to decode signature \"" + selector +
            "\" as it was not found on the provided ABI.\nMake sure you are using the correct ABI";
        return f.settled(200, json::serialize(answer));
    };
    CHECK(told("0x756688fe", "") == "refused permit2_invalid_nonce");
    CHECK(told("0x756688fe", "0x1") == "unknown");
    // InvalidSigner()
    CHECK(told("0x815e1d64", "") == "refused invalid_exact_evm_transaction_simulation_failed");
    CHECK(told("0x815e1d64", "0x1") == "unknown");
}

TEST_CASE("a settlement that may have happened is unknown", "[x402][facilitator]")
{
    fixture f;
    const char* answers[] = {
        "",
        "<html>502</html>",
        R"({"error":"timeout"})",
        R"({"success":"true","transaction":"0x1","network":"eip155:84532"})",
        R"({"success":true,"network":"eip155:84532"})",
        R"({"success":true,"transaction":"","network":"eip155:84532"})",
        R"({"success":true,"transaction":7,"network":"eip155:84532"})",
        R"({"success":true,"transaction":"0x1"})",
        R"({"success":true,"transaction":"0x1","network":"eip155:8453"})",
        R"({"success":true,"transaction":"0x1\r\nSet-Cookie: a","network":"eip155:84532"})",
        R"({"success":true,"transaction":"0x1","network":"eip155:84532","payer":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C"})",
        R"({"success":true,"transaction":"0x1","network":"eip155:84532","payer":false})",
        R"({"success":false,"errorReason":"settlement_pending","transaction":"0x1"})",
        R"({"success":false,"errorReason":"settlement_pending","transaction":""})",
        R"({"success":false,"errorReason":"insufficient_funds","transaction":"0x1"})",
        R"({"success":false,"errorReason":"insufficient_funds","transaction":1})",
        R"({"success":false,"errorReason":"transaction_failed","transaction":""})",
        R"({"success":false,"errorReason":"invalid_exact_evm_transaction_failed"})",
        R"({"success":false,"errorReason":"unexpected_settle_error"})",
        R"({"success":false,"errorReason":"internal_error"})",
        R"({"success":false,"errorReason":"settle_exact_node_failure","transaction":""})",
        R"({"success":false,"errorReason":"unknown_error","transaction":null})",
        R"({"success":false,"errorReason":"unexpected_verify_error"})",
        R"({"success":false,"errorReason":5})",
        R"({"success":false})",
        R"({"success":false,"success":true,"transaction":"0x1","network":"eip155:84532"})",
    };
    for (const char* answer : answers)
        for (const unsigned status : {200U, 500U})
        {
            INFO(answer);
            CHECK(f.settled(status, answer) == "unknown");
        }
    CHECK(f.settled(200, success(R"("pad":")" + std::string(70'000, 'x') + "\"")) == "unknown");
}

TEST_CASE("only what was never sent is surely not settled", "[x402][facilitator]")
{
    fixture f;
    const std::pair<errc, const char*> failures[] = {
        {errc::unavailable, "not sent"},
        {errc::timed_out, "unknown"},
        {errc::protocol, "unknown"},
        {errc::canceled, "unknown"},
    };
    for (const auto& [code, expected] : failures)
    {
        f.client.failure = error(code, "no answer");
        INFO(to_string(code));
        CHECK(f.settled(200, "") == expected);
        CHECK(f.verified(200, "") == "unavailable");
    }
}

TEST_CASE("a facilitator that is busy says when to come back", "[x402][facilitator]")
{
    fixture f;
    f.client.retry_after = "17";
    for (const unsigned status : {429U, 503U})
        for (const char* body : {"", "<html></html>", R"({"error":"too many requests"})"})
        {
            f.client.status = status;
            f.client.body = body;
            const verify_outcome verified = f.verify();
            const auto& down = std::get<verify_unavailable>(verified);
            CHECK(down.retry_after == std::chrono::seconds(17));
            CHECK(down.failure.code() == errc::unavailable);
            const settle_outcome settled = f.settle();
            const auto& unknown = std::get<settle_unknown>(settled);
            CHECK(unknown.retry_after == std::chrono::seconds(17));
            CHECK(unknown.failure.code() == errc::unavailable);
        }
    // An answer is an answer.
    CHECK(f.verified(429, R"({"isValid":true})") == "valid");
    CHECK(
        f.settled(429, R"({"success":false,"errorReason":"insufficient_funds"})") ==
        "refused insufficient_funds"
    );
    for (const unsigned status : {200U, 400U, 500U, 502U})
    {
        f.client.status = status;
        f.client.body = "";
        const verify_outcome verified = f.verify();
        CHECK(std::get<verify_unavailable>(verified).retry_after == std::chrono::seconds(0));
    }
    f.client.retry_after.clear();
    f.client.status = 503;
    const verify_outcome verified = f.verify();
    CHECK(std::get<verify_unavailable>(verified).retry_after == std::chrono::seconds(0));
}

TEST_CASE("failures tell whose fault they may be", "[x402][facilitator]")
{
    const auto code_of = [](unsigned status, std::string body) {
        fixture f;
        f.client.status = status;
        f.client.body = std::move(body);
        const verify_outcome verified = f.verify();
        const settle_outcome settled = f.settle();
        CHECK(
            std::get<settle_unknown>(settled).failure.code() ==
            std::get<verify_unavailable>(verified).failure.code()
        );
        return std::get<verify_unavailable>(verified).failure.code();
    };
    CHECK(code_of(200, "") == errc::protocol);
    // It threw, perhaps at what the buyer wrote.
    CHECK(code_of(500, R"({"error":"x"})") == errc::refused);
    CHECK(code_of(502, R"({"error":"x"})") == errc::protocol);
    CHECK(code_of(408, "") == errc::protocol);
    // What a buyer wrote may be the reason.
    CHECK(code_of(400, "") == errc::refused);
    CHECK(code_of(404, R"({"error":"x"})") == errc::refused);
    CHECK(code_of(400, std::string(70'000, 'x')) == errc::refused);

    // A settlement that the facilitator itself calls open is an answer.
    fixture f;
    f.client.body = R"({"success":false,"errorReason":"settlement_pending","transaction":"0x1"})";
    const settle_outcome pending = f.settle();
    CHECK(std::get<settle_unknown>(pending).failure.code() == errc::refused);
}
