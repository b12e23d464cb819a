#include "catch.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/claims.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <limits>
#include <vector>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;

namespace {

const claim_binding hello{"demo/hello", "GET", "/services/hello"};
const claim_binding other{"demo/hello", "GET", "/services/hello?page=2"};

claim_key key(const std::string& name)
{
    return {"eip155:84532", "0xasset", "0xpayer", name};
}

claim_step begin(claim_table& table, const std::string& name, const claim_binding& binding = hello)
{
    return table.begin(key(name), binding, now_seconds + 60, samples::now()).step;
}

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time)
{
    return std::chrono::steady_clock::now() + time;
}

asio::awaitable<void> wait_for(
    claim_table& table,
    std::string name,
    std::chrono::steady_clock::time_point deadline,
    std::vector<claim_wait>& out
)
{
    const claim_wait waited = co_await table.changed(key(name), deadline);
    out.push_back(waited);
}

void spawn_waiter(
    asio::io_context& context,
    claim_table& table,
    std::vector<claim_wait>& out,
    std::chrono::milliseconds limit
)
{
    asio::co_spawn(context, wait_for(table, "n", in(limit), out), asio::detached);
    context.restart();
    context.poll();
}

}  // namespace

TEST_CASE("a claim is one caller's until it reports", "[x402][claims]")
{
    claim_table table;
    CHECK(begin(table, "n") == claim_step::proceed);
    CHECK(begin(table, "n") == claim_step::wait);
    CHECK(begin(table, "n", other) == claim_step::wait);
    CHECK(begin(table, "m") == claim_step::proceed);
    table.release(key("n"));
    CHECK(begin(table, "n", other) == claim_step::proceed);
}

TEST_CASE("a settled claim buys one delivered answer", "[x402][claims]")
{
    claim_table table;
    begin(table, "n");
    table.settled(key("n"), "receipt");
    CHECK(begin(table, "n") == claim_step::wait);

    table.undelivered(key("n"));
    const claim_answer again = table.begin(key("n"), hello, now_seconds + 60, samples::now());
    CHECK(again.step == claim_step::granted_again);
    CHECK(again.receipt == "receipt");
    CHECK(begin(table, "n") == claim_step::wait);

    table.delivered(key("n"));
    const claim_answer late = table.begin(key("n"), hello, now_seconds + 60, samples::now());
    CHECK(late.step == claim_step::used);
    CHECK(late.receipt == "receipt");
    // A late report changes nothing.
    table.undelivered(key("n"));
    table.release(key("n"));
    CHECK(begin(table, "n") == claim_step::used);
}

TEST_CASE("a settled claim buys nothing else", "[x402][claims]")
{
    const claim_binding others[] = {
        other,
        {"demo/hello", "POST", "/services/hello"},
        {"demo/other", "GET", "/services/hello"},
        {"demo/hell", "oGET", "/services/hello"},
        {"demo/hello", "GET", "/services/hello", "\x01"},
    };
    claim_table table;
    begin(table, "n");
    table.settled(key("n"), "receipt");
    for (const claim_binding& each : others)
        CHECK(begin(table, "n", each) == claim_step::used);
    table.undelivered(key("n"));
    for (const claim_binding& each : others)
    {
        const claim_answer answer = table.begin(key("n"), each, now_seconds + 60, samples::now());
        CHECK(answer.step == claim_step::used);
        CHECK(answer.receipt == "receipt");
    }
    CHECK(begin(table, "n") == claim_step::granted_again);
}

TEST_CASE("an unknown claim is resolved by one copy at a time", "[x402][claims]")
{
    claim_table table;
    begin(table, "n");
    table.unknown(key("n"));
    CHECK(begin(table, "n", other) == claim_step::used);
    CHECK(begin(table, "n") == claim_step::resolve);
    CHECK(begin(table, "n") == claim_step::wait);
    table.unknown(key("n"));
    CHECK(begin(table, "n") == claim_step::resolve);
    table.used(key("n"));
    const claim_answer over = table.begin(key("n"), hello, now_seconds + 60, samples::now());
    CHECK(over.step == claim_step::used);
    CHECK(over.receipt.empty());
}

TEST_CASE("reports about nothing are ignored", "[x402][claims]")
{
    claim_table table;
    table.release(key("n"));
    table.settled(key("n"), "r");
    table.unknown(key("n"));
    table.used(key("n"));
    table.delivered(key("n"));
    table.undelivered(key("n"));
    CHECK(table.size() == 0);
    begin(table, "n");
    table.delivered(key("n"));
    table.undelivered(key("n"));
    CHECK(begin(table, "n") == claim_step::wait);
}

TEST_CASE("a full table refuses and forgets only what is over", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 4;
    limits.margin = std::chrono::seconds(100);
    claim_table table(limits);
    begin(table, "flight");
    begin(table, "granted");
    table.settled(key("granted"), "r");
    begin(table, "used");
    table.settled(key("used"), "r");
    table.delivered(key("used"));
    begin(table, "unknown");
    table.unknown(key("unknown"));
    CHECK(begin(table, "new") == claim_step::full);

    const auto begin_at = [&](const char* name, std::int64_t seconds) {
        const clock::time_point when(std::chrono::seconds(now_seconds + seconds));
        return table.begin(key(name), hello, now_seconds + seconds + 60, when).step;
    };
    CHECK(begin_at("new", 160) == claim_step::full);
    CHECK(begin_at("new", 161) == claim_step::proceed);
    CHECK(begin_at("newer", 161) == claim_step::proceed);
    CHECK(begin_at("newest", 161) == claim_step::full);
    // What is in flight or being answered is never forgotten.
    CHECK(begin_at("flight", 1'000'000) == claim_step::wait);
    CHECK(begin_at("granted", 1'000'000) == claim_step::wait);
    CHECK(begin_at("newest", 1'000'000) == claim_step::full);
    CHECK(table.size() == 4);
}

TEST_CASE("a claim that changes hands is evicted once", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 1;
    limits.margin = std::chrono::seconds(0);
    claim_table table(limits);
    begin(table, "n");
    for (int i = 0; i < 3; ++i)
    {
        table.unknown(key("n"));
        CHECK(begin(table, "n") == claim_step::resolve);
    }
    const clock::time_point later(std::chrono::seconds(now_seconds + 1'000));
    CHECK(table.begin(key("m"), hello, 0, later).step == claim_step::full);
    table.settled(key("n"), "r");
    table.undelivered(key("n"));
    CHECK(table.begin(key("m"), hello, 0, later).step == claim_step::proceed);
    CHECK(table.size() == 1);
}

TEST_CASE("a payment valid for ever is kept for ever", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 1;
    claim_table table(limits);
    table.begin(key("n"), hello, (std::numeric_limits<u256>::max)(), samples::now());
    table.settled(key("n"), "r");
    table.delivered(key("n"));
    CHECK(
        table.begin(key("m"), hello, 0, clock::time_point(std::chrono::hours(24 * 365 * 200))).step ==
        claim_step::full
    );
}

TEST_CASE("waiters wake when the claim changes", "[x402][claims]")
{
    asio::io_context context;
    claim_table table;
    std::vector<claim_wait> out;
    begin(table, "n");
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    CHECK(out.empty());

    SECTION("released")
    {
        table.release(key("n"));
    }
    SECTION("settled")
    {
        table.settled(key("n"), "r");
    }
    SECTION("unknown")
    {
        table.unknown(key("n"));
    }
    SECTION("used")
    {
        table.used(key("n"));
    }
    context.restart();
    context.poll();
    CHECK(out == std::vector<claim_wait>(2, claim_wait::changed));
}

TEST_CASE("waiters wake when the answer was delivered or not", "[x402][claims]")
{
    asio::io_context context;
    claim_table table;
    std::vector<claim_wait> out;
    begin(table, "n");
    table.settled(key("n"), "r");
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    CHECK(out.empty());
    SECTION("delivered")
    {
        table.delivered(key("n"));
    }
    SECTION("undelivered")
    {
        table.undelivered(key("n"));
    }
    context.restart();
    context.poll();
    CHECK(out == std::vector<claim_wait>{claim_wait::changed});
}

TEST_CASE("waiting ends at the deadline, and at once where there is nothing to wait for", "[x402][claims]")
{
    asio::io_context context;
    claim_table table;
    CHECK(
        portitor::test::run(context, table.changed(key("n"), in(std::chrono::seconds(5)))) ==
        claim_wait::changed
    );
    begin(table, "n");
    CHECK(
        portitor::test::run(context, table.changed(key("n"), in(std::chrono::milliseconds(5)))) ==
        claim_wait::expired
    );
    table.unknown(key("n"));
    CHECK(
        portitor::test::run(context, table.changed(key("n"), in(std::chrono::seconds(5)))) ==
        claim_wait::changed
    );
}

TEST_CASE("so many wait and no more", "[x402][claims]")
{
    asio::io_context context;
    claim_limits limits;
    limits.max_waiters = 2;
    claim_table table(limits);
    std::vector<claim_wait> out;
    begin(table, "n");
    spawn_waiter(context, table, out, std::chrono::milliseconds(20));
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    CHECK(out == std::vector<claim_wait>{claim_wait::too_many});
    // Who gives up makes room.
    context.restart();
    context.run_for(std::chrono::milliseconds(60));
    REQUIRE(out.size() == 2);
    CHECK(out.back() == claim_wait::expired);
    spawn_waiter(context, table, out, std::chrono::seconds(5));
    CHECK(out.size() == 2);
    table.release(key("n"));
    context.restart();
    context.poll();
    CHECK(out.size() == 4);
}

TEST_CASE("waiters may be destroyed with their executor", "[x402][claims]")
{
    claim_table table;
    std::vector<claim_wait> out;
    begin(table, "n");
    {
        asio::io_context context;
        spawn_waiter(context, table, out, std::chrono::seconds(5));
    }
    table.release(key("n"));
    CHECK(out.empty());
}

TEST_CASE("keys have one spelling per payment", "[x402][claims]")
{
    const payment v2 = decode_v2(v2_payment(usdc_requirement())).value();
    const payment v1 = decode_v1(v1_payment()).value();
    payment_requirement lower = usdc_requirement();
    lower.asset = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
    CHECK(key_of(v2, usdc_requirement()) == key_of(v1, lower));

    // Permit2 counts nonces per payer, not per token.
    const payment permit = decode_v2(v2_payment(permit2_requirement())).value();
    payment_requirement another = permit2_requirement();
    another.asset = usdc_requirement().asset;
    CHECK(key_of(permit, permit2_requirement()) == key_of(permit, another));

    payment other_nonce = v2;
    other_nonce.nonce.back() = '1';
    CHECK_FALSE(key_of(v2, usdc_requirement()) == key_of(other_nonce, usdc_requirement()));
}

TEST_CASE("claims are counted by state", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 6;
    claim_table table(limits);
    for (const char* name : {"verifying", "settling", "granted", "undelivered", "used", "unknown"})
        begin(table, name);
    CHECK(table.counts().verifying == 6);
    for (const char* name : {"settling", "granted", "undelivered", "used", "unknown"})
        table.settling(key(name));
    CHECK(table.counts().settling == 5);
    CHECK(begin(table, "settling") == claim_step::wait);
    for (const char* name : {"granted", "undelivered", "used"})
        table.settled(key(name), "r");
    table.undelivered(key("undelivered"));
    table.delivered(key("used"));
    table.unknown(key("unknown"));
    const auto all = [&table] {
        const claim_counts is = table.counts();
        return std::vector<std::size_t>{
            is.verifying, is.settling, is.granted, is.undelivered, is.used, is.unknown};
    };
    CHECK(all() == std::vector<std::size_t>(6, 1));

    CHECK(begin(table, "unknown") == claim_step::resolve);
    CHECK(all() == std::vector<std::size_t>{1, 2, 1, 1, 1, 0});
    CHECK(begin(table, "undelivered") == claim_step::granted_again);
    CHECK(all() == std::vector<std::size_t>{1, 2, 2, 0, 1, 0});
    table.release(key("verifying"));
    table.release(key("settling"));
    CHECK(all() == std::vector<std::size_t>{0, 1, 2, 0, 1, 0});
    // A report that comes too late counts nothing.
    table.settling(key("used"));
    table.release(key("verifying"));
    CHECK(all() == std::vector<std::size_t>{0, 1, 2, 0, 1, 0});

    // What is forgotten is not counted.
    const clock::time_point later(std::chrono::seconds(now_seconds + 1'000'000));
    for (const char* name : {"a", "b", "c"})
        CHECK(table.begin(key(name), hello, now_seconds, later).step == claim_step::proceed);
    CHECK(all() == std::vector<std::size_t>{3, 1, 2, 0, 0, 0});
}
