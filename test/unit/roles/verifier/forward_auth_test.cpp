#include "verifier_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/value_from.hpp>

#include <random>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

using headers = header_list;

namespace {

// One 402 in both versions, for that price and reason.
void check_asks(
    const http::response& answer, const std::string& price, std::string_view reason, const std::string& url
)
{
    INFO(answer.body());
    CHECK(answer.result() == http::status::payment_required);
    CHECK(header(answer, "Cache-Control") == "no-store");
    CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
    CHECK_FALSE(answer.count("X-Payer"));

    const json::value v2 = decoded(header(answer, "PAYMENT-REQUIRED"));
    CHECK(v2.at("x402Version") == 2);
    CHECK(text(v2.at("error")) == reason);
    CHECK(text(v2.at("resource").at("url")) == url);
    REQUIRE(v2.at("accepts").as_array().size() == 1);
    const json::object& second = v2.at("accepts").at(0).as_object();
    CHECK(text(second.at("amount")) == price);
    CHECK(second.at("network") == "eip155:84532");

    const json::value v1 = json::parse(answer.body());
    CHECK(v1.at("x402Version") == 1);
    CHECK(text(v1.at("error")) == reason);
    REQUIRE(v1.at("accepts").as_array().size() == 1);
    const json::object& first = v1.at("accepts").at(0).as_object();
    CHECK(text(first.at("maxAmountRequired")) == price);
    CHECK(first.at("network") == "base-sepolia");
    CHECK(text(first.at("resource")) == url);

    for (const json::object* each : {&first, &second})
    {
        CHECK(each->at("scheme") == "exact");
        CHECK(each->at("payTo") == "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
        CHECK(each->at("asset") == "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
        CHECK(each->at("maxTimeoutSeconds") == 60);
        CHECK(
            each->at("extra") == json::parse(R"({"name": "USDC", "version": "2", "paymentFlow": "upfront"})")
        );
    }
}

}  // namespace

TEST_CASE("a route that is not known is refused for now", "[verifier][auth]")
{
    for (const char* target :
         {"/verify/shop/other",
          "/verify/other/hello",
          "/verify/shop/hello/x",
          "/verify/shop/hell",
          "/verify/shop/hello%20",
          "/verify/shop%2Fhello",
          "/verify//shop/hello",
          "/verify/shop",
          "/verify/SHOP/hello"})
    {
        for (const bool complete : {true, false})
        {
            INFO(target);
            desk d;
            if (!complete)
                d.publish(route_table());
            const auto answer = d.ask(question("/services/hello/free/x", {{"X-PAYMENT", real_v1()}}, target));
            check_refused(answer, http::status::service_unavailable, "unknown_route");
            CHECK(header(answer, "Retry-After") == "1");
            CHECK(answer.count("X-Portitor-Route") == 1);
            CHECK(header(answer, "X-Portitor-Route").empty());
            CHECK(d.facilitator.verifies == 0);
            // Strangers' names make no series.
            CHECK(d.numbers.expose().find("other") == std::string::npos);
            CHECK_THAT(d.numbers.expose(), Catch::Matchers::Contains("route=\"unknown\""));
        }
    }
}

TEST_CASE("a question that names no route is refused", "[verifier][auth]")
{
    desk d;
    for (const char* target : {"/", "/verifyx/shop/hello", "/verif", "/healthz", "*", ""})
    {
        INFO(target);
        check_refused(d.ask(question(top, {}, target)), http::status::forbidden, "unknown_route");
    }
    // This one names a route, though none that can be.
    check_refused(d.ask(question(top, {}, "/verify/")), http::status::service_unavailable, "unknown_route");
}

TEST_CASE("a query on the gate's own address changes nothing", "[verifier][auth]")
{
    desk d;
    CHECK(
        d.ask(question(top, {}, "/verify/shop/hello?x=/verify/a/b")).result() ==
        http::status::payment_required
    );
}

TEST_CASE("while the upstream is down nobody pays, not even for nothing", "[verifier][auth]")
{
    desk d;
    d.put(test::changed(route_object(), "/spec/suspended", "true"));
    for (const char* uri : {"/services/hello", "/services/hello/free/x", "/elsewhere"})
    {
        const auto answer = d.pay(uri);
        check_refused(answer, http::status::service_unavailable, "upstream_unavailable");
        CHECK(std::stoi(header(answer, "Retry-After")) > 0);
        CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
    }
    CHECK(d.facilitator.verifies == 0);
    CHECK(d.on_record() == 0);
}

TEST_CASE("a path of another route is refused", "[verifier][auth]")
{
    desk d;
    for (const char* uri :
         {"/", "/services/hellox", "/services", "/services/other/free/x", "/services/hello%20"})
    {
        INFO(uri);
        check_refused(d.pay(uri), http::status::forbidden, "outside_route");
    }
    CHECK(d.facilitator.verifies == 0);
}

TEST_CASE("a question that the gateway would not ask is refused", "[verifier][auth]")
{
    desk d;
    question missing = question(top);
    missing.erase("X-Forwarded-Uri");
    check_refused(d.ask(missing), http::status::forbidden, "bad_request");
    for (const headers& more : {
             headers{{"X-Forwarded-Uri", "/services/hello/free/x"}},
             headers{{"X_Forwarded_Uri", "/services/hello/free/x"}},
             headers{{"X_Payer", "0x1"}},
             headers{{"X-Payment", real_v1()}, {"Payment-Signature", real_v1()}},
             headers{{"X-Payment", real_v1()}, {"X-Payment", real_v1()}},
         })
        check_refused(d.ask(top, more), http::status::bad_request, "bad_request");
    for (const char* uri :
         {"/services/hello/free/..%2Freport",
          "/services/hello/free/%2e%2e/report",
          "/services/hello//free/x",
          // Where rules make a difference.
          "/services/hello/free/a;b",
          "/services/hello;/free/x",
          "/services/hello/free%3Bx",
          "/services/hello/x%3b"})
        check_refused(d.pay(uri), http::status::bad_request, "bad_request");
    CHECK(d.facilitator.verifies == 0);
}

TEST_CASE("without a payment both versions are asked for the price of the path", "[verifier][auth]")
{
    desk d;
    const std::string url = "https://api.example.com/services/hello";
    check_asks(d.ask(top), "10000", "payment required", url);
    check_asks(d.ask("/services/hello/a/b?q=1"), "10000", "payment required", url + "/a/b");
    check_asks(d.ask("/services/hello/report"), "50000", "payment required", url + "/report");
    check_asks(d.ask("/services/hello/free/not"), "20000", "payment required", url + "/free/not");
    check_asks(d.ask("/services/hello/%66ree/no%74"), "20000", "payment required", url + "/free/not");
    check_asks(d.ask(top, {{"X-PAYMENT", ""}}), "10000", "payment required", url);
    d.put(test::changed(route_object(), "/spec/publicURL", "\"\""));
    check_asks(
        d.ask("/services/hello/a"), "10000", "payment required", "http://api.example.com/services/hello/a"
    );
}

TEST_CASE("a free path is granted, and says of the client nothing", "[verifier][auth]")
{
    desk d;
    for (const headers& more :
         {headers{},
          headers{{"X-PAYMENT", real_v1()}},
          headers{{"X-PAYMENT", "rubbish"}},
          headers{{"X-Payer", "0x1"}}})
    {
        const auto answer = d.ask("/services/hello/free/x?y=1", more);
        CHECK(answer.result() == http::status::ok);
        CHECK(header(answer, "X-Payment-Status") == "free");
        CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
        CHECK(header(answer, "Cache-Control") == "no-store");
        for (const char* empty :
             {"X-Payer",
              "X-Payment-Payer",
              "X-Payment-Tx",
              "X-Payment-Response",
              "Payment-Response",
              "X-Verified-Wallet"})
        {
            INFO(empty);
            CHECK(answer.count(empty) == 1);
            CHECK(header(answer, empty).empty());
        }
    }
    CHECK(d.facilitator.verifies == 0);
}

TEST_CASE("a settled payment is granted once", "[verifier][auth]")
{
    desk d;
    check_granted(d.pay(top));
    CHECK(d.facilitator.verifies == 1);
    CHECK(d.facilitator.settles == 1);
    CHECK(d.facilitator.urls == std::vector<std::string>{"https://f.example", "https://f.example"});
    CHECK(d.facilitator.amounts == std::vector<u256>{10000, 10000});

    const auto again = d.pay(top);
    check_refused(again, http::status::conflict, "payment_already_used");
    CHECK(header(again, "X-PAYMENT-RESPONSE") == header(again, "PAYMENT-RESPONSE"));
    CHECK(d.facilitator.verifies == 1);
    CHECK(d.facilitator.settles == 1);

    check_granted(d.pay_v1(v1_message(2)), v2_payer);
    CHECK(d.facilitator.settles == 2);
    const std::string shown = d.numbers.expose();
    CHECK_THAT(
        shown,
        Catch::Matchers::Contains("portitor_verify_requests_total{route=\"shop/hello\",outcome=\"paid\"} 2")
    );
    CHECK_THAT(shown, Catch::Matchers::Contains("outcome=\"already_used\"} 1"));
}

TEST_CASE("a v2 client pays what the header asks", "[verifier][auth]")
{
    desk d;
    const json::value asked = decoded(header(d.ask(top), "PAYMENT-REQUIRED"));
    json::object message = x402::samples::v2_payment(x402::samples::usdc_requirement());
    message["accepted"] = asked.at("accepts").at(0);
    x402::samples::sign(message, x402::samples::usdc_requirement());
    const headers payment{{"PAYMENT-SIGNATURE", x402::samples::encode(message)}};
    check_granted(d.ask(top, payment), v2_payer);
    check_refused(d.ask(top, payment), http::status::conflict, "payment_already_used");

    // A v2 payment says what it accepted: other terms, such as those of the real client's header, are not
    // ours.
    const json::value all = x402::samples::load("headers.json");
    for (const json::value& each : all.at("headers").as_array())
    {
        if (each.at("header") == "PAYMENT-SIGNATURE")
            CHECK(
                d.ask(top, {{"PAYMENT-SIGNATURE", std::string(each.at("value").as_string())}}).result() ==
                http::status::payment_required
            );
    }
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("an undelivered answer lets the same payment through once more", "[verifier][auth]")
{
    desk d;
    check_granted(d.pay(top, false));
    check_granted(d.pay(top, true));
    CHECK(d.facilitator.settles == 1);
    check_refused(d.pay(top), http::status::conflict, "payment_already_used");
    CHECK_THAT(d.numbers.expose(), Catch::Matchers::Contains("outcome=\"paid_again\"} 1"));
}

TEST_CASE("an answer that is dropped unwritten counts as undelivered", "[verifier][auth]")
{
    desk d;
    const question copy(top, {{"X-PAYMENT", real_v1()}});
    const auto drop = [&]() -> asio::awaitable<void> {
        http::server_request message;
        copy.write(message);
        std::string text;
        http::response_writer writer(text, true, false);
        const http::delivery_listener untold = co_await d.front.answer_to(message, writer).value();
        CHECK(is_granted(read_answer(text)));
        CHECK(untold);
    };
    test::run(d.context, drop());
    check_granted(d.pay(top));
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("the same payment buys nothing else", "[verifier][auth]")
{
    desk d;
    check_granted(d.pay(top, false));
    for (const char* other : {"/services/hello/b", "/services/hello?q=1", "/services/hello/"})
    {
        INFO(other);
        check_refused(d.pay(other), http::status::conflict, "payment_already_used");
    }
    question posted(top, {{"X-PAYMENT", real_v1()}});
    posted.set("X-Forwarded-Method", "POST");
    check_refused(d.ask(posted), http::status::conflict, "payment_already_used");
    // HEAD counts as the GET that it stands for.
    question head(top, {{"X-PAYMENT", real_v1()}});
    head.set("X-Forwarded-Method", "HEAD");
    check_granted(d.ask(head));
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("a payment for one route does not open another one", "[verifier][auth]")
{
    desk d;
    auto second = test::changed(route_object(), "/metadata/namespace", "\"mall\"");
    second = test::changed(
        second,
        "/metadata/ownerReferences",
        R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u2", "controller": true}])"
    );
    d.put(test::changed(second, "/spec/pattern", "\"/services/hello/*\""));
    check_granted(d.pay(top, false));
    check_refused(
        d.ask(question(top, {{"X-PAYMENT", real_v1()}}, "/verify/mall/hello")),
        http::status::conflict,
        "payment_already_used"
    );
}

TEST_CASE("a payment of another amount is asked for the right one", "[verifier][auth]")
{
    desk d;
    for (const char* uri : {"/services/hello/report", "/services/hello/free/not"})
    {
        const auto answer = d.pay(uri);
        CHECK(answer.result() == http::status::payment_required);
        CHECK(decoded(header(answer, "PAYMENT-REQUIRED")).at("error") != "payment required");
    }
    CHECK(d.facilitator.verifies == 0);
    CHECK(d.on_record() == 0);
}

TEST_CASE("a payment out of its time is asked for another one", "[verifier][auth]")
{
    desk d;
    d.time.time += std::chrono::hours(1);
    CHECK(d.pay(top).result() == http::status::payment_required);
    CHECK(d.facilitator.verifies == 0);
}

TEST_CASE("a payment that cannot be read is a bad request", "[verifier][auth]")
{
    desk d;
    const std::string good = real_v1();
    for (const std::string& bad :
         {std::string("x"),
          std::string("e30="),
          std::string("bnVsbA=="),
          good.substr(0, good.size() / 2),
          good + "!",
          " " + good + " x",
          good + "," + good,
          std::string(20'000, 'A'),
          x402::samples::encode(x402::samples::v2_payment(x402::samples::usdc_requirement()))})
        check_refused(d.ask(top, {{"X-PAYMENT", bad}}), http::status::bad_request, "invalid_payload");
    check_refused(d.ask(top, {{"PAYMENT-SIGNATURE", good}}), http::status::bad_request, "invalid_payload");
    CHECK(d.facilitator.verifies == 0);
    CHECK(d.on_record() == 0);
}

TEST_CASE("what the facilitator refuses is asked for again", "[verifier][auth]")
{
    desk d;
    d.facilitator.verify_answer = x402::verify_invalid("insufficient_funds");
    check_asks(d.pay(top), "10000", "insufficient_funds", "https://api.example.com/services/hello");
    CHECK(d.facilitator.settles == 0);
    d.facilitator.verify_answer = x402::verify_valid();
    d.facilitator.settle_answer = x402::settle_refused("insufficient_funds");
    check_asks(d.pay(top), "10000", "insufficient_funds", "https://api.example.com/services/hello");
    d.facilitator.settle_answer = fake_facilitator::settled();
    check_granted(d.pay(top));
}

TEST_CASE("a payment that was settled elsewhere is not asked for again", "[verifier][auth]")
{
    desk d;
    d.facilitator.settle_answer = x402::settle_refused("nonce_already_used");
    check_refused(d.pay(top), http::status::conflict, "payment_already_used");
    d.facilitator.settle_answer = fake_facilitator::settled();
    check_refused(d.pay(top), http::status::conflict, "payment_already_used");
}

TEST_CASE("while the facilitator is away nobody gets in and nobody pays twice", "[verifier][auth]")
{
    struct away
    {
        const char* what;
        x402::verify_outcome verify;
        x402::settle_outcome settle;
        http::status code;
    };
    const error late(errc::timed_out, "no answer");
    const error gone(errc::unavailable, "cannot connect");
    const error odd(errc::protocol, "an answer that is no JSON");
    const std::vector<away> table{
        {"verify late",
         x402::verify_unavailable(late),
         fake_facilitator::settled(),
         http::status::service_unavailable},
        {"verify gone",
         x402::verify_unavailable(gone),
         fake_facilitator::settled(),
         http::status::service_unavailable},
        {"verify odd", x402::verify_unavailable(odd), fake_facilitator::settled(), http::status::bad_gateway},
        {"settle gone", x402::verify_valid(), x402::settle_not_sent(gone), http::status::service_unavailable},
        {"settle late", x402::verify_valid(), x402::settle_unknown(late), http::status::service_unavailable},
        {"settle odd", x402::verify_valid(), x402::settle_unknown(odd), http::status::service_unavailable},
    };
    for (const away& each : table)
    {
        INFO(each.what);
        desk d;
        d.facilitator.verify_answer = each.verify;
        d.facilitator.settle_answer = each.settle;
        const auto answer = d.pay(top);
        check_refused(answer, each.code, "temporarily_unavailable");
        CHECK(std::stoi(header(answer, "Retry-After")) > 0);
        // The facilitator is the operator's business.
        CHECK(answer.body().find("f.example") == std::string::npos);
        CHECK(answer.body().find("connect") == std::string::npos);
        const bool unknown =
            std::string_view(each.what) == "settle late" || std::string_view(each.what) == "settle odd";
        const char* said =
            unknown ? "the outcome of this payment is not known yet: send the same payment again"
                    : "payments cannot be taken now, nothing was charged by this request: send the same "
                      "payment again";
        CHECK_THAT(answer.body(), Catch::Matchers::Contains(said));
        // The same payment gets its grant once the facilitator is back.
        d.facilitator.verify_answer = x402::verify_valid();
        d.facilitator.settle_answer = fake_facilitator::settled();
        check_granted(d.pay(top));
    }
}

TEST_CASE("a fault on the way is a refusal", "[verifier][auth]")
{
    desk d;
    d.facilitator.verify_throws = true;
    const auto answer = d.pay(top);
    check_refused(answer, http::status::service_unavailable, "temporarily_unavailable");
    CHECK(answer.count("Retry-After") == 1);
    CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
    d.facilitator.verify_throws = false;
    d.facilitator.settle_throws = true;
    const auto settling = d.pay(top);
    check_refused(settling, http::status::service_unavailable, "temporarily_unavailable");
    CHECK(settling.count("Retry-After") == 1);
    // The money may have moved: nobody is told otherwise, and the same payment still gets its grant.
    CHECK_THAT(settling.body(), Catch::Matchers::Contains("is not known yet"));
    d.facilitator.settle_throws = false;
    check_granted(d.pay(top));

    d.chain.throws = true;
    const captured_log log;
    const auto asking = d.pay_v1(v1_message(1, stranger()));
    check_refused(asking, http::status::service_unavailable, "internal_error");
    CHECK(asking.count("Retry-After") == 1);
    CHECK(header(asking, "X-Portitor-Route") == "shop/hello");
    CHECK_THAT(log.text(), Catch::Matchers::Contains("the chain's client has a fault"));
    CHECK(asking.body().find("chain") == std::string::npos);
}

TEST_CASE("of concurrent copies of a payment one gets in", "[verifier][auth]")
{
    desk d;
    d.facilitator.delay = milliseconds(20);
    const question copy(top, {{"X-PAYMENT", real_v1()}});
    std::vector<unsigned> codes;
    const auto ask = [&]() -> asio::awaitable<void> {
        http::server_request message;
        copy.write(message);
        http::response answer;
        co_await answer_as_server(d.front, message, true, answer);
        codes.push_back(answer.result_int());
    };
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(d.context, ask(), asio::detached);
    d.context.run_for(std::chrono::seconds(5));
    REQUIRE(codes.size() == 10);
    CHECK(std::count(codes.begin(), codes.end(), 200u) == 1);
    CHECK(std::count(codes.begin(), codes.end(), 409u) == 9);
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("a route that goes while a payment is settled does not take the answer with it", "[verifier][auth]")
{
    desk d;
    d.facilitator.delay = milliseconds(20);
    const question copy(top, {{"X-PAYMENT", real_v1()}});
    http::response answer;
    const auto paying = [&]() -> asio::awaitable<void> {
        http::server_request message;
        copy.write(message);
        co_await answer_as_server(d.front, message, true, answer);
    };
    asio::co_spawn(d.context, paying(), asio::detached);
    d.context.poll();
    d.erase("shop/hello");
    d.context.run_for(std::chrono::seconds(5));
    CHECK(answer.result() == http::status::ok);
}

namespace {

// The path that the most lenient of upstreams reads: decoded once, backslashes as slashes, parameters cut
// off, and then cleaned.
std::string as_upstream_reads(std::string_view uri)
{
    std::string text;
    uri = uri.substr(0, uri.find('?'));
    for (std::size_t i = 0; i < uri.size(); ++i)
    {
        const std::string hex(uri.substr(i + 1, 2));
        if (uri[i] == '%' && hex.size() == 2 && std::isxdigit(static_cast<unsigned char>(hex[0])) &&
            std::isxdigit(static_cast<unsigned char>(hex[1])))
        {
            text += static_cast<char>(std::stoi(hex, nullptr, 16));
            i += 2;
        }
        else
            text += uri[i];
    }
    std::replace(text.begin(), text.end(), '\\', '/');
    std::vector<std::string> clean;
    for (const std::string_view segment : api::segments_of(text))
    {
        const std::string each(segment.substr(0, segment.find(';')));
        if (each == ".." && !clean.empty())
            clean.pop_back();
        else if (!each.empty() && each != "." && each != "..")
            clean.push_back(each);
    }
    std::string out;
    for (const std::string& each : clean)
        out += "/" + each;
    return out;
}

}  // namespace

TEST_CASE("whatever a client sends, it gets in by paying or by a rule that says free", "[verifier][auth]")
{
    const auto parts = std::to_array<const char*>({
        "/services", "/hello",  "/hello", "/hello",     "/free", "/free/a", "/free/b", "/not",
        "/report",   "/x",      "/",      "//",         "/.",    "/..",     "/%2e%2e", "/.%2E",
        "/..%2F",    "%2f",     "%5c",    "\\",         "/..\\", ";",       ";a=b",    "%3B",
        "/..;x",     "/..%3bx", "/%2e;",  "%00",        "%",     "%zz",     "%25",     "%252e%252e",
        "%2E",       "%66ree",  "?",      "?a=/free/x", "#",     "*",       "/*",      " ",
        "\t",        "\x01",    "\xff",   "x",          ",",     ":",       "@",       "http://gate.test",
    });
    const auto names = std::to_array<const char*>({
        "X-Forwarded-Uri",
        "X_Forwarded_Uri",
        "X-Forwarded-Method",
        "X-Forwarded-Host",
        "X-Payer",
        "X_Payer",
        "X-Portitor-Route",
        "X-Payment-Status",
        "X-Payment-Response",
        "Payment-Signature",
        "X-Payment",
        "Authorization",
        "X-Forwarded-For",
        "Connection",
        "Upgrade",
    });
    const auto values = std::to_array<const char*>({
        "",
        "/services/hello/free/x",
        "GET",
        "HEAD",
        "free",
        "settled",
        "shop/hello",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "e30=",
        "websocket",
        "true",
        "200",
    });
    std::mt19937 random(20261124);
    const auto below = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    const std::string good = real_v1();

    desk d;
    // Payments are the only way in, and this facilitator takes none but says yes to every question.
    d.facilitator.settle_answer = x402::settle_refused("insufficient_funds");
    std::size_t granted = 0;
    for (int round = 0; round < 4000; ++round)
    {
        std::string uri = below(8) == 0 ? "" : "/services/hello";
        for (std::size_t i = below(5); i > 0; --i)
            uri += parts[below(parts.size())];
        question message(uri);
        for (std::size_t i = below(3); i > 0; --i)
            message.add(names[below(names.size())], values[below(values.size())]);
        if (below(3) == 0)
        {
            std::string payment = good;
            if (below(2) == 0)
                payment[below(payment.size())] = static_cast<char>('A' + below(26));
            message.add(below(4) == 0 ? "PAYMENT-SIGNATURE" : "X-PAYMENT", payment);
        }
        if (below(40) == 0)
            message.erase("X-Forwarded-Uri");
        const auto answer = d.ask(message);
        INFO(json::serialize(json::value_from(message.headers)));
        const bool free = is_granted(answer) && header(answer, "X-Payment-Status") == "free";
        CHECK(answer.result_int() >= 200);
        CHECK(is_granted(answer) == free);
        if (!free)
            continue;
        ++granted;
        const std::string read = as_upstream_reads(message.headers.at(0).second);
        INFO(read);
        CHECK(read.starts_with("/services/hello/free/"));
        CHECK(read != "/services/hello/free/not");
    }
    // The sweep would prove nothing if all were refused.
    CHECK(granted > 20);
    CHECK(d.facilitator.settles > 20);
}

TEST_CASE("a damaged payment never gets in unsettled", "[verifier][auth]")
{
    std::mt19937 random(7);
    const auto below = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    desk d;
    const std::string good = x402::samples::encode(v1_message(1));
    int granted = 0;
    for (int round = 0; round < 500; ++round)
    {
        std::string text = x402::decode_base64(good).value();
        for (std::size_t i = below(3) + 1; i > 0; --i)
            text[below(text.size())] = static_cast<char>(below(95) + 32);
        granted += is_granted(d.ask(top, {{"X-PAYMENT", x402::encode_base64(text)}}));
        CHECK(granted == d.facilitator.settles);
    }
    // What is left whole may be paid; its facilitator judges the signature.
    for (const u256& amount : d.facilitator.amounts)
        CHECK(amount == 10000);
}
