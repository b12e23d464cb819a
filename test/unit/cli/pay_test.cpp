#include "catch.hpp"
#include "cli/pay/exchange.hpp"
#include "cli/pay/paying.hpp"
#include "pay_world.hpp"
#include "run.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;
using namespace portitor::cli::pay;
using namespace portitor::cli::pay::samples;

namespace {

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an unpaid request is free, or tells its terms", "[cli][pay]")
{
    fixture f;
    const auto known = x402::network_table::built_in();
    const auto asked = [&](http::response said, std::optional<int> version = {}) {
        f.client.script.emplace_back(std::move(said));
        return test::run(f.around.context, ask(f.client, f.around.stop, f.what, known, version)).value();
    };
    CHECK(asked(answer(200, "hello")).how == ending::free);
    CHECK(f.client.seen.back().target() == "/hello");
    CHECK(f.client.seen.back().count("PAYMENT-SIGNATURE") == 0);

    const auto terms = asked(terms_answer());
    CHECK(terms.how == ending::terms);
    CHECK(terms.terms.value().version == 2);
    CHECK(asked(terms_answer(), 1).terms.value().version == 1);

    const auto other = asked(answer(402, "pay me"));
    CHECK(other.how == ending::failed);
    CHECK(has(other.why, "none of x402 v1"));

    http::response away = answer(302);
    away.set(http::field::location, "https://evil.test/\x1b[2J");
    const auto moved = asked(std::move(away));
    CHECK(moved.how == ending::moved);
    CHECK(has(moved.why, "https://evil.test/\\x1b[2J; redirects are not followed"));

    const auto down =
        asked(answer(503, R"({"error":"upstream_unavailable","message":"the service\u001b is down"})"));
    CHECK(down.how == ending::failed);
    CHECK(has(down.why, "503: upstream_unavailable: the service\\x1b is down"));

    f.client.script.emplace_back(fail(errc::unavailable, "cannot connect"));
    CHECK(test::run(f.around.context, ask(f.client, f.around.stop, f.what, known)).has_error());
}

TEST_CASE("a request has what the buyer gave it", "[cli][pay]")
{
    wish what = wish_for("https://shop.test:8443/a?b=c").value();
    what.method = "POST";
    what.body = "{}";
    what.headers = {{"Authorization", "Bearer x"}, {"content-type", "text/plain"}};
    const http::request made = request_for(what);
    CHECK(made.method_string() == "POST");
    CHECK(made.target() == "/a?b=c");
    CHECK(made[http::field::authorization] == "Bearer x");
    CHECK(made[http::field::content_type] == "text/plain");
    CHECK(made[http::field::content_length] == "2");
    CHECK(made.body() == "{}");
}

TEST_CASE("a served payment comes with its receipt, or without", "[cli][pay]")
{
    fixture f;
    http::response good = answer(200, "hello");
    good.set("PAYMENT-RESPONSE", x402::encode_base64(R"({"success":true,"transaction":"0xab"})"));
    f.client.script.emplace_back(std::move(good));
    const paid_answer with = f.bought();
    CHECK(with.how == ending::served);
    CHECK(with.tries == 1);
    CHECK(with.receipt.value().transaction == "0xab");
    CHECK(with.answer.value().body() == "hello");

    f.client.script.emplace_back(answer(200, "hello"));
    CHECK_FALSE(f.bought().receipt);
}

TEST_CASE("a v1 payment goes in its own header", "[cli][pay]")
{
    fixture f;
    f.payment.header = x402::payment_header::x_payment;
    f.client.script.emplace_back(answer(200));
    test::run(f.around.context, buy(f.client, f.around.timers, f.around.stop, {f.what, f.payment}));
    CHECK(f.client.seen.at(0)["X-PAYMENT"] == "c2lnbmVk");
    CHECK(f.client.seen.at(0).count("PAYMENT-SIGNATURE") == 0);
}

TEST_CASE("a payment that is refused is not made again", "[cli][pay]")
{
    fixture f;
    http::response no = answer(402, "{}");
    no.set(
        "PAYMENT-RESPONSE", x402::encode_base64(R"({"success":false,"errorReason":"insufficient_funds"})")
    );
    f.client.script.emplace_back(std::move(no));
    const paid_answer refused = f.bought();
    CHECK(refused.how == ending::refused);
    CHECK(refused.tries == 1);
    CHECK(has(refused.why, "402 to the payment: insufficient_funds"));
    CHECK(has(refused.why, "redeemed until 2026-11-24T"));

    f.client.script.emplace_back(
        answer(409, R"({"error":"payment_already_used","message":"it has bought its answer"})")
    );
    const paid_answer used = f.bought();
    CHECK(used.how == ending::used);
    CHECK(has(used.why, "payment_already_used: it has bought its answer"));

    f.client.script.emplace_back(answer(500, "oops"));
    const paid_answer failed = f.bought();
    CHECK(failed.how == ending::failed);
    CHECK(has(failed.why, "may have been charged"));

    f.client.script.emplace_back(answer(307));
    CHECK(f.bought().how == ending::moved);
    CHECK(f.client.seen.size() == 4);
}

TEST_CASE("the same payment is sent again where the server asks for that", "[cli][pay]")
{
    fixture f;
    f.client.script.emplace_back(answer(503, R"({"error":"temporarily_unavailable"})", "2"));
    f.client.script.emplace_back(answer(502, "", "3"));
    f.client.script.emplace_back(answer(429, "", "0"));
    f.client.script.emplace_back(answer(200, "hello"));
    const paid_answer ended = f.bought();
    CHECK(ended.how == ending::served);
    CHECK(ended.tries == 4);
    CHECK(f.waited == std::chrono::seconds(2 + 3 + 1));
}

TEST_CASE("patience ends, and says that nothing is known", "[cli][pay]")
{
    fixture f;
    for (int i = 0; i < 20; ++i)
        f.client.script.emplace_back(answer(503, "", "1"));
    const paid_answer tired = f.bought();
    CHECK(tired.how == ending::unknown);
    CHECK(tired.tries == patience().tries);
    CHECK(has(tired.why, "not known whether the payment settled"));

    // A server cannot hold us for longer than we want.
    f.client.script.clear();
    f.client.seen.clear();
    f.waited = {};
    for (int i = 0; i < 20; ++i)
        f.client.script.emplace_back(answer(503, "", "86400"));
    CHECK(f.bought().how == ending::unknown);
    CHECK(f.waited <= patience().in_all);
    CHECK(f.client.seen.size() == 5);

    f.client.script.clear();
    f.client.script.emplace_back(answer(503));
    const paid_answer once = f.bought();
    CHECK(once.how == ending::unknown);
    CHECK(once.tries == 1);
}

TEST_CASE("silence after a payment is tried again only where that is harmless", "[cli][pay]")
{
    fixture f;
    f.client.script.emplace_back(fail(errc::timed_out, "no answer"));
    f.client.script.emplace_back(answer(200));
    CHECK(f.bought().how == ending::served);

    f.what.method = "POST";
    f.client.seen.clear();
    f.client.script.emplace_back(fail(errc::timed_out, "no answer"));
    f.client.script.emplace_back(answer(200));
    const paid_answer silent = f.bought();
    CHECK(silent.how == ending::unknown);
    CHECK(f.client.seen.size() == 1);
    CHECK(has(silent.why, "no answer; it is not known"));
}

TEST_CASE("a payment that was never sent was not charged", "[cli][pay]")
{
    fixture f;
    const auto away = [&] { f.client.script.emplace_back(fail(errc::unavailable, "cannot connect")); };
    for (int i = 0; i < 6; ++i)
        away();
    const paid_answer unsent = f.bought();
    CHECK(unsent.how == ending::unsent);
    CHECK(has(unsent.why, "nothing was charged"));

    // Once it may have arrived, it stays in doubt.
    f.client.script.clear();
    f.client.script.emplace_back(answer(503, "", "1"));
    for (int i = 0; i < 6; ++i)
        away();
    const paid_answer doubt = f.bought();
    CHECK(doubt.how == ending::unknown);
    CHECK_FALSE(has(doubt.why, "nothing was charged"));
}

TEST_CASE("headers and methods are checked before they are sent", "[cli][pay]")
{
    CHECK(parse_header("A: b").value() == std::pair<std::string, std::string>("A", "b"));
    CHECK(parse_header("A:").value().second.empty());
    for (const char* text :
         {"",
          "A",
          ": b",
          "A b: c",
          "A: b\r\nC: d",
          "A: b\x01",
          "payment-signature: x",
          "x-payment: x",
          "Content-Length: 3"})
        CHECK(parse_header(text).has_error());
    CHECK(is_method("PUT"));
    for (const char* text : {"", "G T", "CONNECT", "GET\r\n"})
        CHECK_FALSE(is_method(text));
}

TEST_CASE("nonces differ", "[cli][pay]")
{
    CHECK(random_nonce().value() != random_nonce().value());
}

TEST_CASE("being told to stop ends a pause, and says what is known", "[cli][pay]")
{
    fixture f;
    f.client.script.emplace_back(answer(503, "", "30"));
    f.client.on_seen = [&] { f.around.stop.request(); };
    const paid_answer ended = f.bought();
    CHECK(ended.how == ending::unknown);
    CHECK(ended.tries == 1);
    CHECK(f.waited == std::chrono::seconds(0));
    CHECK(has(ended.why, "told to stop"));
    CHECK(has(ended.why, "not known whether the payment settled"));
    CHECK(has(ended.why, "2026-11-24T"));
}

TEST_CASE("a payment that may have been sent before is never called unsent", "[cli][pay]")
{
    fixture f;
    f.sent_before = true;
    for (int i = 0; i < 6; ++i)
        f.client.script.emplace_back(fail(errc::unavailable, "cannot connect"));
    const paid_answer ended = f.bought();
    CHECK(ended.how == ending::unknown);
    CHECK_FALSE(has(ended.why, "nothing was charged"));
}

TEST_CASE("all answers to a payment together are bounded", "[cli][pay]")
{
    fixture f;
    std::size_t allowed = 0;
    const auto count = [&] {
        for (const std::size_t each : f.client.limits)
            allowed += each;
    };
    // Each as long as it may be.
    f.client.fills = true;
    for (int i = 0; i < 6; ++i)
        f.client.script.emplace_back(answer(503, "", "1"));
    CHECK(f.bought().how == ending::unknown);
    CHECK(f.client.seen.size() == 1);
    count();
    CHECK(allowed == max_answer);

    // Broken ones, whatever came of them.
    f.client = scripted_client();
    for (int i = 0; i < 6; ++i)
        f.client.script.emplace_back(fail(errc::timed_out, "no answer"));
    CHECK(f.bought().how == ending::unknown);
    allowed = 0;
    count();
    CHECK(allowed < 2 * max_answer);
    CHECK(f.client.seen.size() == 6);

    // What came, and cannot be read, is no better the next time.
    f.client = scripted_client();
    f.client.script.emplace_back(fail(errc::protocol, "body limit exceeded"));
    const paid_answer unread = f.bought();
    CHECK(unread.how == ending::unknown);
    CHECK(f.client.seen.size() == 1);
}

TEST_CASE("terms that can be read in two ways are not read", "[cli][pay]")
{
    fixture f;
    const auto known = x402::network_table::built_in();
    const auto asked = [&](http::response said) {
        f.client.script.emplace_back(std::move(said));
        return test::run(f.around.context, ask(f.client, f.around.stop, f.what, known)).value();
    };
    http::response twice = terms_answer();
    twice.insert("payment-required", std::string(twice["PAYMENT-REQUIRED"]));
    auto told = asked(std::move(twice));
    CHECK(told.how == ending::failed);
    CHECK(has(told.why, "more than one header PAYMENT-REQUIRED"));

    http::response nothing = answer(402);
    nothing.set("PAYMENT-REQUIRED", x402::encode_base64(R"({"x402Version":2,"accepts":[]})"));
    told = asked(std::move(nothing));
    CHECK(told.how == ending::failed);
    CHECK(has(told.why, "accepts is empty"));

    // Two receipts are none.
    f.client.seen.clear();
    http::response served = answer(200, "hello");
    const std::string receipt = x402::encode_base64(R"({"success":true,"transaction":"0xab"})");
    served.insert("PAYMENT-RESPONSE", receipt);
    served.insert("PAYMENT-RESPONSE", receipt);
    f.client.script.emplace_back(std::move(served));
    CHECK_FALSE(f.bought().receipt);
}
