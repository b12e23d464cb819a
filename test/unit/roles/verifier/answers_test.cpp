#include "verifier_world.hpp"

#include <algorithm>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

question unbound(std::string_view uri, const header_list& more = {})
{
    return question(uri, more, "/verify");
}

const header_list browser{{"Accept", "text/html,*/*;q=0.8"}, {"User-Agent", "Mozilla/5.0 (X11)"}};

question preflight(std::string_view uri, const header_list& more)
{
    question out(uri, more);
    out.set("X-Forwarded-Method", "OPTIONS");
    return out;
}

const header_list from_a{{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "POST"}};

bool has_cors(const http::response& answer)
{
    return std::any_of(answer.begin(), answer.end(), [](const auto& each) {
        const auto name = each.name_string();
        return std::string(name.data(), name.size()).starts_with("Access-Control-");
    });
}

std::vector<std::string> all_of(const http::response& answer, const char* name)
{
    std::vector<std::string> out;
    for (auto [at, end] = answer.equal_range(name); at != end; ++at)
        out.emplace_back(at->value().data(), at->value().size());
    return out;
}

}  // namespace

TEST_CASE("a gateway that names no route asks by the path", "[verifier][unbound]")
{
    desk d;
    d.put(route_of("mall", "deep", "/services/hello/deep/*"));
    const auto asked = d.ask(unbound("/services/hello/report"));
    CHECK(asked.result() == http::status::payment_required);
    CHECK(header(asked, "X-Portitor-Route") == "shop/hello");
    CHECK(text(json::parse(asked.body()).at("accepts").at(0).at("maxAmountRequired")) == "50000");
    CHECK(header(d.ask(unbound("/services/hello/deep/x")), "X-Portitor-Route") == "mall/deep");
    CHECK(header(d.ask(question(top, {}, "/verify?x=/verify/a/b")), "X-Portitor-Route") == "shop/hello");
    const auto free = d.ask(unbound("/services/hello/free/x"));
    CHECK(free.result() == http::status::ok);
    CHECK(header(free, "X-Portitor-Route") == "shop/hello");
    const auto paid = d.ask(unbound(top, {{"X-PAYMENT", real_v1()}}));
    check_granted(paid);
    // However the gateway asks, it is the same purchase.
    check_refused(d.pay(top), http::status::conflict, "payment_already_used");
}

TEST_CASE("a path of no route, or of more than one, is refused", "[verifier][unbound]")
{
    desk d;
    for (const char* uri : {"/", "/services", "/services/hellox", "/elsewhere/free/x"})
    {
        INFO(uri);
        const auto answer = d.ask(unbound(uri, {{"X-PAYMENT", real_v1()}}));
        check_refused(answer, http::status::forbidden, "unknown_route");
        CHECK(header(answer, "X-Portitor-Route").empty());
    }
    CHECK_THAT(
        d.numbers.expose(), Catch::Matchers::Contains("route=\"unknown\",outcome=\"unknown_route\"} 4")
    );
    const auto rival = test::changed(
        route_of("mall", "hello", "/services/hello/*"),
        "/spec/publicURL",
        "\"https://b.example/services/hello\""
    );
    d.put(rival);
    question named = unbound(top);
    named.set("X-Forwarded-Host", "gate.test");
    check_refused(d.ask(named), http::status::forbidden, "unknown_route");
    named.set("X-Forwarded-Host", "b.example");
    CHECK(header(d.ask(named), "X-Portitor-Route") == "mall/hello");
    named.set("X-Forwarded-Host", "api.example.com");
    CHECK(header(d.ask(named), "X-Portitor-Route") == "shop/hello");
    CHECK(d.facilitator.calls() == 0);
}

TEST_CASE("before the routes are known a path is refused for now only", "[verifier][unbound]")
{
    desk d;
    d.publish(route_table());
    const auto answer = d.ask(unbound(top));
    check_refused(answer, http::status::service_unavailable, "unknown_route");
    CHECK(header(answer, "Retry-After") == "1");
    d.put(route_object());
    // What is known is served already.
    CHECK(d.ask(unbound(top)).result() == http::status::payment_required);
}

TEST_CASE(
    "by the path too HEAD is priced as GET and a service that is down is not sold", "[verifier][unbound]"
)
{
    desk d;
    question head = unbound("/services/hello/report");
    head.set("X-Forwarded-Method", "HEAD");
    const auto priced = d.ask(head);
    CHECK(priced.result() == http::status::payment_required);
    CHECK(priced.body() == d.ask(unbound("/services/hello/report")).body());
    check_granted(d.ask(unbound(top, {{"X-PAYMENT", real_v1()}}), false));
    question paid_head = unbound(top, {{"X-PAYMENT", real_v1()}});
    paid_head.set("X-Forwarded-Method", "HEAD");
    check_granted(d.ask(paid_head));
    CHECK(d.facilitator.settles == 1);

    d.put(test::changed(route_object(), "/spec/suspended", "true"));
    for (const char* uri : {"/services/hello", "/services/hello/free/x"})
    {
        const auto down = d.ask(unbound(uri, {{"X-PAYMENT", real_v1()}}));
        check_refused(down, http::status::service_unavailable, "upstream_unavailable");
        CHECK(std::stoi(header(down, "Retry-After")) > 0);
    }
    CHECK(d.facilitator.settles == 1);
}

TEST_CASE("a question by path is read as strictly", "[verifier][unbound]")
{
    desk d;
    question missing = unbound(top);
    missing.erase("X-Forwarded-Uri");
    check_refused(d.ask(missing), http::status::forbidden, "bad_request");
    check_refused(
        d.ask(unbound("/services/hello/free/..%2Freport")), http::status::bad_request, "bad_request"
    );
    check_refused(d.ask(unbound("/services/hello/free/a;b")), http::status::bad_request, "bad_request");
    check_refused(
        d.ask(unbound(top, {{"X-Forwarded-Uri", "/services/hello/free"}})),
        http::status::bad_request,
        "bad_request"
    );
}

TEST_CASE("a path that no 402 has room for is 414", "[verifier]")
{
    desk d;
    const std::string longest = std::string(top) + "/" + std::string(2048 - std::string(top).size() - 1, '"');
    const auto asked = d.ask(longest + "?" + std::string(8192 - 2049, 'q'));
    CHECK(asked.result() == http::status::payment_required);
    CHECK(header(asked, "PAYMENT-REQUIRED").size() <= x402::max_payment_required);
    check_refused(d.ask(longest + "x"), http::status::uri_too_long, "bad_request");
    // Who pays has all of it in his record; what is free has any query.
    const std::string queried = "?" + std::string(8192, 'q');
    check_refused(d.ask(std::string(top) + queried), http::status::uri_too_long, "bad_request");
    CHECK(d.ask("/services/hello/free/x" + queried).result() == http::status::ok);
}

TEST_CASE("where the operator has not opted in there is nothing of CORS", "[verifier][cors]")
{
    desk d;
    for (const auto& answer :
         {d.ask(top, from_a),
          d.ask(preflight(top, from_a)),
          d.ask("/services/hello/free/x", from_a),
          d.ask(top, {{"Origin", "*"}}),
          d.ask(top, {{"Origin", "null"}})})
        CHECK_FALSE(has_cors(answer));
    CHECK(d.ask(preflight(top, from_a)).result() == http::status::payment_required);
    CHECK_FALSE(cors_policy("").enabled());
    CHECK_FALSE(cors_policy("  ").enabled());
    CHECK(cors_policy("").allowed("").empty());
    CHECK(cors_policy("*").allowed("").empty());
}

TEST_CASE("a page of an allowed origin may read what it is asked to pay", "[verifier][cors]")
{
    for (const char* list :
         {"https://a.example", "https://b.example https://a.example", " https://a.example  x "})
    {
        INFO(list);
        desk d(list);
        const auto asked = d.ask(top, {{"Origin", "https://a.example"}});
        CHECK(asked.result() == http::status::payment_required);
        CHECK(all_of(asked, "Access-Control-Allow-Origin") == std::vector<std::string>{"https://a.example"});
        const std::string told = header(asked, "Access-Control-Expose-Headers");
        for (const char* name : {"PAYMENT-REQUIRED", "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE"})
            CHECK_THAT(told, Catch::Matchers::Contains(name));
        CHECK_FALSE(asked.count("Access-Control-Allow-Credentials"));
        const auto vary = all_of(asked, "Vary");
        CHECK(std::count(vary.begin(), vary.end(), "Origin") == 1);
        // And the other refusals, paid or not.
        CHECK(has_cors(d.ask("/elsewhere", {{"Origin", "https://a.example"}})));
        CHECK(has_cors(d.ask(top, {{"Origin", "https://a.example"}, {"X-PAYMENT", "x"}})));
        CHECK(has_cors(
            d.ask("/services/hello/report", {{"Origin", "https://a.example"}, {"X-PAYMENT", real_v1()}})
        ));
        // A granted request is the upstream's to answer.
        CHECK_FALSE(has_cors(d.ask(top, {{"Origin", "https://a.example"}, {"X-PAYMENT", real_v1()}})));
        CHECK_FALSE(has_cors(d.ask("/services/hello/free/x", {{"Origin", "https://a.example"}})));
    }
}

TEST_CASE("no other origin is allowed, and none is said back", "[verifier][cors]")
{
    desk d("https://a.example https://b.example");
    for (const char* origin :
         {"https://evil.example",
          "https://a.example.evil.example",
          "https://A.example",
          "http://a.example",
          "https://a.example:8443",
          "https://a.example https://b.example",
          "https://a.exampl",
          "null",
          "*",
          ""})
    {
        INFO(origin);
        CHECK_FALSE(has_cors(d.ask(top, {{"Origin", origin}})));
        CHECK(
            d.ask(preflight(top, {{"Origin", origin}, {"Access-Control-Request-Method", "GET"}})).result() ==
            http::status::payment_required
        );
    }
    desk any("*");
    for (const char* origin : {"https://evil.example", "null", "odd \"<script>", "https://a.example"})
    {
        const auto asked = any.ask(top, {{"Origin", origin}});
        CHECK(all_of(asked, "Access-Control-Allow-Origin") == std::vector<std::string>{"*"});
        CHECK(everything(asked).find(origin) == std::string::npos);
    }
}

TEST_CASE("a preflight is a request like any other: it is the gateway's to answer", "[verifier][cors]")
{
    desk d("https://a.example");
    CHECK(d.ask(preflight("/services/hello/report", from_a)).result() == http::status::payment_required);
    CHECK(desk("*").ask(preflight(top, from_a)).result() == http::status::payment_required);
    CHECK(d.ask(preflight("/services/hello/free/x", from_a)).result() == http::status::ok);

    question get(top, from_a);
    question post(top, from_a);
    post.set("X-Forwarded-Method", "POST");
    question lower(top, from_a);
    lower.set("X-Forwarded-Method", "options");
    for (const question& asked :
         {get,
          post,
          lower,
          preflight(top, {}),
          preflight(top, {{"Origin", "https://a.example"}}),
          preflight(top, {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", ""}}),
          preflight(top, {{"Access-Control-Request-Method", "POST"}}),
          preflight(top, {{"Origin", ""}, {"Access-Control-Request-Method", "POST"}})})
        CHECK(d.ask(asked).result() == http::status::payment_required);

    check_refused(d.ask(preflight("/elsewhere", from_a)), http::status::forbidden, "outside_route");
    check_refused(d.ask(preflight("/services/hello/a;b", from_a)), http::status::bad_request, "bad_request");
    d.put(test::changed(route_object(), "/spec/suspended", "true"));
    check_refused(d.ask(preflight(top, from_a)), http::status::service_unavailable, "upstream_unavailable");
    CHECK(d.facilitator.calls() == 0);
}

TEST_CASE("a person's browser gets a page, and programs what they need in its header", "[verifier][page]")
{
    desk d;
    const auto page = d.ask(top, browser);
    CHECK(page.result() == http::status::payment_required);
    CHECK(header(page, "Content-Type") == "text/html; charset=utf-8");
    CHECK_THAT(page.body(), Catch::Matchers::StartsWith("<!DOCTYPE html>"));
    CHECK_THAT(page.body(), Catch::Matchers::Contains("says hello"));
    CHECK_THAT(page.body(), Catch::Matchers::Contains("0.01 USDC"));
    CHECK_THAT(page.body(), Catch::Matchers::Contains("base-sepolia"));
    CHECK(header(page, "Cache-Control") == "no-store");
    CHECK(header(page, "X-Portitor-Route") == "shop/hello");
    const auto plain = d.ask(top);
    CHECK(header(page, "PAYMENT-REQUIRED") == header(plain, "PAYMENT-REQUIRED"));
    CHECK(header(plain, "Content-Type") == "application/json");
    for (const auto* each : {&page, &plain})
    {
        const std::string vary = header(*each, "Vary");
        CHECK_THAT(vary, Catch::Matchers::Contains("Accept"));
        CHECK_THAT(vary, Catch::Matchers::Contains("User-Agent"));
    }
    for (const header_list& program :
         {header_list{{"Accept", "text/html"}},
          header_list{{"User-Agent", "Mozilla/5.0"}},
          header_list{{"Accept", "application/json"}, {"User-Agent", "Mozilla/5.0"}},
          header_list{{"Accept", "text/html"}, {"User-Agent", "curl/8"}}})
        CHECK(header(d.ask(top, program), "Content-Type") == "application/json");
    // What is bought is not the page.
    header_list paying = browser;
    paying.emplace_back("X-PAYMENT", real_v1());
    check_granted(d.ask(top, paying));
}

TEST_CASE("prices on the page in whole units", "[verifier][page]")
{
    struct price
    {
        const char* atomic;
        const char* shown;
    };
    const auto row = GENERATE(values<price>({
        {"1", "<b>0.000001 USDC"},
        {"10", "<b>0.00001 USDC"},
        {"999999", "<b>0.999999 USDC"},
        {"1000000", "<b>1 USDC"},
        {"1500000", "<b>1.5 USDC"},
        {"123000000", "<b>123 USDC"},
        {"100000000000000000000000001", "<b>100000000000000000000.000001 USDC"},
    }));
    desk d;
    d.put(test::changed(route_object(), "/spec/price", fmt::format("\"{}\"", row.atomic)));
    CHECK_THAT(d.ask(top, browser).body(), Catch::Matchers::Contains(row.shown));
}

TEST_CASE("the page escapes the seller's words and holds nothing of the request", "[verifier][page]")
{
    desk d("https://a.example");
    d.put(test::changed(
        test::changed(route_object(), "/spec/description", R"("<script>alert(\"1\")</script> & 'so' <b")"),
        "/spec/publicURL",
        "\"\""
    ));
    question asked("/services/hello/<mark>\"path\"?query<mark>", {}, "/verify/shop/hello");
    asked.set("X-Forwarded-Host", "host-mark.example");
    asked.add("Accept", "text/html;accept<mark>");
    asked.add("User-Agent", "Mozilla agent<mark>");
    asked.add("Origin", "https://a.example");
    asked.add("Referer", "referer<mark>");
    asked.add("Cookie", "cookie<mark>");
    const auto page = d.ask(asked);
    CHECK(header(page, "Content-Type") == "text/html; charset=utf-8");
    INFO(page.body());
    CHECK(page.body().find("mark") == std::string::npos);
    CHECK(page.body().find("a.example") == std::string::npos);
    CHECK(page.body().find("<script") == std::string::npos);
    CHECK(page.body().find("<b ") == std::string::npos);
    CHECK_THAT(
        page.body(),
        Catch::Matchers::Contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; 'so' &lt;b")
    );
    // The header is base64: nobody reads markup in it.
    CHECK(header(page, "PAYMENT-REQUIRED").find_first_of("<>\"") == std::string::npos);
}

TEST_CASE("every 402 says that it is for nobody else", "[verifier][auth]")
{
    desk d;
    for (const auto& asked :
         {d.ask(top),
          d.ask(top, browser),
          d.pay("/services/hello/report"),
          d.pay_v1(v1_message(1, stranger()))})
    {
        CHECK(asked.result() == http::status::payment_required);
        CHECK(all_of(asked, "Cache-Control") == std::vector<std::string>{"no-store"});
        const auto vary = all_of(asked, "Vary");
        REQUIRE(vary.size() == 1);
        CHECK(vary[0] == "Accept, User-Agent");
        CHECK_FALSE(header(asked, "PAYMENT-REQUIRED").empty());
    }
}

TEST_CASE("every 2xx says each name that an upstream may trust, once", "[verifier][auth]")
{
    desk d("https://a.example");
    for (const auto& granted :
         {d.pay(top, false),
          d.pay(top),
          d.ask("/services/hello/free/x"),
          d.ask("/services/hello/free/x", {{"X-Payer", "0x1"}, {"X-Payment-Status", "settled"}}),
          d.ask(preflight("/services/hello/free/x", from_a))})
    {
        INFO(everything(granted));
        REQUIRE(granted.result() == http::status::ok);
        for (const char* each : vouched)
        {
            INFO(each);
            CHECK(granted.count(each) == 1);
        }
        CHECK(all_of(granted, "Cache-Control") == std::vector<std::string>{"no-store"});
        CHECK(granted.body().empty());
    }
}
