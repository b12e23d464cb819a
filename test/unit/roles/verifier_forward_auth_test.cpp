#include "catch.hpp"
#include "run.hpp"

#include "roles/verifier/forward_auth.hpp"
#include "verifier_world.hpp"

#include <deque>

using namespace portitor;
using namespace portitor::verifier;
using x402::samples::encode;
using x402::samples::manual_clock;
using x402::samples::usdc_requirement;
using x402::samples::v1_payment;
using x402::samples::v2_payment;

namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

struct scripted_facilitator final : x402::facilitator_client
{
    x402::verify_outcome verify_answer = x402::verify_valid();
    x402::settle_outcome settle_answer = x402::settle_settled("0xabc", {{"success", true}, {"transaction", "0xabc"}});
    int verified = 0;
    int settled = 0;

    boost::asio::awaitable<x402::verify_outcome> verify(
        std::string, const x402::payment&, const x402::payment_requirement&, std::chrono::milliseconds
    ) override
    {
        ++verified;
        co_return verify_answer;
    }
    boost::asio::awaitable<x402::settle_outcome> settle(
        std::string, const x402::payment&, const x402::payment_requirement&, std::chrono::milliseconds
    ) override
    {
        ++settled;
        co_return settle_answer;
    }
};

struct world
{
    boost::asio::io_context context;
    scripted_facilitator facilitator;
    manual_clock time;
    metrics numbers;
    route_table routes;
    bool ready = true;
    x402::gate gate{facilitator, std::make_shared<x402::claim_table>(), time};
    forward_auth auth{
        routes, gate, x402::samples::networks(), [this] { return ready; }, logger(log_level::error, log_format::text), numbers
    };

    world() { routes.put(*samples::compile(samples::route_object())); }

    static headers forwarded(const std::string& uri, headers more = {})
    {
        headers out{
            {"X-Forwarded-Uri", uri},
            {"X-Forwarded-Method", "GET"},
            {"X-Forwarded-Host", "api.example.com"},
            {"X-Forwarded-Proto", "https"},
        };
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }

    // The answer, delivered or lost on its way.
    http::response ask(const headers& with, bool delivered = true, const std::string& target = "/verify/sellers/hello")
    {
        http::request message(http::verb::get, target, 11);
        for (const auto& [name, value] : with)
            message.insert(name, value);
        std::optional<http::reply> reply;
        test::run(context, answer(message, reply));
        if (reply->on_written)
            reply->on_written(delivered);
        return std::move(reply->message);
    }

    boost::asio::awaitable<void> answer(const http::request& message, std::optional<http::reply>& into)
    {
        into.emplace(co_await auth.answer(message));
    }

    static headers pay(const std::string& uri) { return forwarded(uri, {{"Payment-Signature", encode(v2_payment(usdc_requirement()))}}); }
};

const std::string path = "/services/hello/a";

}  // namespace

TEST_CASE("an unpaid request gets one 402 for both versions", "[verifier]")
{
    world w;
    const auto answer = w.ask(world::forwarded(path));
    CHECK(answer.result_int() == 402);
    CHECK(answer["Cache-Control"] == "no-store");
    CHECK(answer["X-Portitor-Route"] == "sellers/hello");
    CHECK_FALSE(answer["PAYMENT-REQUIRED"].empty());
    CHECK(answer.body().find(R"("maxAmountRequired":"10000")") != std::string::npos);
    CHECK(answer.body().find("https://api.example.com/services/hello/a") != std::string::npos);
}

TEST_CASE("a settled payment is granted once", "[verifier]")
{
    world w;
    const auto granted = w.ask(world::pay(path));
    CHECK(granted.result_int() == 200);
    CHECK(granted["X-Payer"] == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    CHECK(granted["X-Payment-Status"] == "settled");
    CHECK_FALSE(granted["Payment-Response"].empty());
    const auto again = w.ask(world::pay(path));
    CHECK(again.result_int() == 409);
    CHECK(again["PAYMENT-REQUIRED"].empty());
    CHECK(again.body().find("accepts") == std::string::npos);
    CHECK_FALSE(again["PAYMENT-RESPONSE"].empty());
    CHECK(w.facilitator.settled == 1);
}

TEST_CASE("a payment in v1 is taken as well, and is the same payment", "[verifier]")
{
    world w;
    CHECK(w.ask(world::forwarded(path, {{"X-Payment", encode(v1_payment())}})).result_int() == 200);
    CHECK(w.ask(world::pay(path)).result_int() == 409);
    CHECK(w.facilitator.settled == 1);
}

TEST_CASE("an answer that was lost leaves its grant to the next copy", "[verifier]")
{
    world w;
    CHECK(w.ask(world::pay(path), false).result_int() == 200);
    CHECK(w.ask(world::pay(path)).result_int() == 200);
    CHECK(w.ask(world::pay(path)).result_int() == 409);
    CHECK(w.facilitator.settled == 1);
}

TEST_CASE("a payment buys only what it was first sent for", "[verifier]")
{
    world w;
    CHECK(w.ask(world::pay(path)).result_int() == 200);
    CHECK(w.ask(world::pay("/services/hello/b")).result_int() == 409);
    CHECK(w.ask(world::pay(path + "?x=1")).result_int() == 409);
    CHECK(w.facilitator.settled == 1);
}

TEST_CASE("a payment of another price is asked again, and nothing is settled", "[verifier]")
{
    world w;
    CHECK(w.ask(world::pay("/services/hello/free/dear")).result_int() == 402);
    CHECK(w.facilitator.verified == 0);
}

TEST_CASE("what the facilitator says decides", "[verifier]")
{
    world w;
    SECTION("invalid: pay again, with the reason")
    {
        w.facilitator.verify_answer = x402::verify_invalid("insufficient_funds");
        const auto answer = w.ask(world::pay(path));
        CHECK(answer.result_int() == 402);
        CHECK(answer.body().find("insufficient_funds") != std::string::npos);
    }
    SECTION("spent elsewhere: 409, never a new 402")
    {
        w.facilitator.verify_answer = x402::verify_invalid("invalid_exact_evm_nonce_already_used");
        CHECK(w.ask(world::pay(path)).result_int() == 409);
    }
    SECTION("not reached: 503, and the payment is as good as before")
    {
        w.facilitator.verify_answer = x402::verify_unavailable(error(errc::unavailable, "down"));
        const auto answer = w.ask(world::pay(path));
        CHECK(answer.result_int() == 503);
        CHECK_FALSE(answer["Retry-After"].empty());
        CHECK(answer["PAYMENT-REQUIRED"].empty());
        w.facilitator.verify_answer = x402::verify_valid();
        CHECK(w.ask(world::pay(path)).result_int() == 200);
    }
    SECTION("broken: 502")
    {
        w.facilitator.verify_answer = x402::verify_unavailable(error(errc::protocol, "garbage"));
        CHECK(w.ask(world::pay(path)).result_int() == 502);
    }
}

TEST_CASE("free paths overwrite what a client may forge", "[verifier]")
{
    world w;
    const auto answer = w.ask(world::forwarded("/services/hello/free/a", {{"X-Payer", "0xforged"}}));
    CHECK(answer.result_int() == 200);
    CHECK(answer["X-Payment-Status"] == "free");
    for (const char* name : {"X-Payer", "X-Payment-Payer", "X-Payment-Tx", "Payment-Response", "X-Verified-Wallet"})
    {
        INFO(name);
        CHECK(answer.find(name) != answer.end());
        CHECK(answer[name].empty());
    }
}

TEST_CASE("no route, a suspended one and an unsynced table are refused before any payment", "[verifier]")
{
    world w;
    const auto unknown = w.ask(world::pay(path), true, "/verify/sellers/nobody");
    CHECK(unknown.result_int() == 503);
    CHECK_FALSE(unknown["Retry-After"].empty());
    CHECK(w.ask(world::pay(path), true, "/verify").result_int() == 403);
    w.ready = false;
    CHECK(w.ask(world::pay(path), true, "/verify/sellers/nobody").result_int() == 503);
    w.routes.put(*samples::compile(test::changed(samples::route_object(), "/spec/suspended", "true")));
    CHECK(w.ask(world::pay(path)).result_int() == 503);
    CHECK(w.ask(world::forwarded("/services/hello/free/a")).result_int() == 503);
    CHECK(w.facilitator.verified == 0);
}

TEST_CASE("nothing hostile is ever granted", "[verifier]")
{
    world w;
    const std::string free_path = "/services/hello/free/a";
    const std::vector<headers> hostile{
        {},
        world::forwarded("/services/hello/free/..%2Fdear"),
        world::forwarded("/services/hello/free/../dear"),
        world::forwarded("/services/hello/free/%2e%2e/dear"),
        world::forwarded("/services/hello/free;/../dear"),
        world::forwarded("/other/free/a"),
        world::forwarded("/services/hello/free\\..\\dear"),
        world::forwarded(free_path, {{"X-Forwarded-Uri", free_path}}),
        world::forwarded(free_path, {{"X_Payer", "0x1"}}),
        world::forwarded(free_path, {{"x.payment.status", "settled"}}),
        world::forwarded(free_path, {{"X_Forwarded_Uri", free_path}}),
        world::forwarded(free_path, {{"X-Forwarded-Host", "two"}}),
        {{"X-Forwarded-Uri", free_path}, {"X-Forwarded-Method", "GET"}, {"X-Forwarded-Host", "a, b"}, {"X-Forwarded-Proto", "http"}},
        {{"X-Forwarded-Uri", free_path}, {"X-Forwarded-Method", "GET, POST"}, {"X-Forwarded-Host", "a"}, {"X-Forwarded-Proto", "http"}},
        {{"X-Forwarded-Uri", free_path}, {"X-Forwarded-Method", "GET"}, {"X-Forwarded-Host", "a"}, {"X-Forwarded-Proto", "ftp"}},
        world::forwarded(path, {{"X-Payment", "!"}}),
        world::forwarded(path, {{"X-Payment", encode(v2_payment(usdc_requirement()))}}),
        world::forwarded(path, {{"Payment-Signature", encode(v1_payment())}}),
        world::forwarded(path, {{"X-Payment", "a"}, {"X-Payment", "b"}}),
        world::forwarded(path, {{"X-Payment", encode(v1_payment())}, {"Payment-Signature", encode(v2_payment(usdc_requirement()))}}),
    };
    for (const headers& each : hostile)
    {
        std::string shown;
        for (const auto& [name, value] : each)
            shown += name + ": " + value.substr(0, 40) + "; ";
        INFO(shown);
        CHECK(w.ask(each).result_int() >= 400);
    }
    CHECK(w.facilitator.settled == 0);
}

TEST_CASE("HEAD and GET are one purchase", "[verifier]")
{
    world w;
    auto head = world::pay(path);
    head[1].second = "HEAD";
    CHECK(w.ask(head).result_int() == 200);
    CHECK(w.ask(world::pay(path)).result_int() == 409);
}
