#include "catch.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/claims.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
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

TEST_CASE("a full table forgets used claims first, and no open one before its time", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 6;
    limits.margin = std::chrono::seconds(30);
    claim_table table(limits);
    std::vector<std::string> forgotten;
    table.on_report([&](const claim_report& told) {
        if (told.what == claim_report::event::forgotten)
            forgotten.push_back(std::string(told.key.nonce()) + " " + told.state);
    });
    const auto begin_at = [&](const char* name, std::int64_t seconds, std::int64_t valid = 60) {
        const clock::time_point when(std::chrono::seconds(now_seconds + seconds));
        return table.begin(key(name), hello, now_seconds + seconds + valid, when).step;
    };
    begin(table, "flight");
    begin(table, "granted");
    table.settled(key("granted"), "r");
    begin(table, "unknown");
    table.unknown(key("unknown"));
    begin(table, "undelivered");
    table.settled(key("undelivered"), "r");
    table.undelivered(key("undelivered"));
    for (const char* name : {"used", "used sooner"})
    {
        begin_at(name, 0, name == std::string("used") ? 60 : 50);
        table.settled(key(name), "r");
        table.delivered(key(name));
    }
    CHECK(table.size() == 6);

    // The used ones are still valid, and go all the same: the chain refuses their nonces.
    CHECK(begin_at("new", 0) == claim_step::proceed);
    CHECK(begin(table, "used") == claim_step::used);
    CHECK(begin_at("newer", 0) == claim_step::proceed);
    CHECK(begin_at("newest", 0) == claim_step::full);
    CHECK(forgotten.empty());
    // An open one, though expired, is not dropped before its margin has passed.
    CHECK(begin_at("newest", 90) == claim_step::full);
    CHECK(begin_at("newest", 91) == claim_step::proceed);
    table.settled(key("newest"), "r");
    table.delivered(key("newest"));
    // Nor before a used one that is younger.
    CHECK(begin_at("next", 91) == claim_step::proceed);
    CHECK(begin_at("last", 91) == claim_step::proceed);
    CHECK(begin_at("too many", 1'000'000) == claim_step::full);
    CHECK(forgotten == std::vector<std::string>{"unknown unknown", "undelivered undelivered"});
    // What is in flight or being answered is never forgotten.
    CHECK(begin_at("flight", 1'000'000) == claim_step::wait);
    CHECK(begin_at("granted", 1'000'000) == claim_step::wait);
    CHECK(table.size() == 6);
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

TEST_CASE("an open claim of a payment valid for ever is kept for ever", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 1;
    claim_table table(limits);
    table.begin(key("n"), hello, (std::numeric_limits<u256>::max)(), samples::now());
    table.unknown(key("n"));
    CHECK(
        table.begin(key("m"), hello, 0, clock::time_point(std::chrono::hours(24 * 365 * 200))).step ==
        claim_step::full
    );
}

TEST_CASE("one payer cannot fill the table", "[x402][claims]")
{
    claim_limits limits;
    limits.max_claims = 10;
    limits.max_of_payer = 2;
    claim_table table(limits);
    const auto begin_as = [&table](const char* who, const char* name) {
        return table.begin({"eip155:84532", "0xasset", who, name}, hello, now_seconds + 60, samples::now());
    };
    CHECK(begin_as("0xa", "1").step == claim_step::proceed);
    CHECK(begin_as("0xa", "2").step == claim_step::proceed);
    const claim_answer full = begin_as("0xa", "3");
    CHECK(full.step == claim_step::full);
    CHECK(full.payer_full);
    // What is known is followed, and others are not concerned.
    CHECK(begin_as("0xa", "1").step == claim_step::wait);
    CHECK(begin_as("0xb", "1").step == claim_step::proceed);

    const claim_key first{"eip155:84532", "0xasset", "0xa", "1"};
    SECTION("a released claim gives its place back")
    {
        table.release(first);
    }
    SECTION("a used one needs none")
    {
        table.settled(first, "r");
        table.delivered(first);
    }
    CHECK(begin_as("0xa", "3").step == claim_step::proceed);
    CHECK(begin_as("0xa", "4").step == claim_step::full);

    claim_limits none;
    none.max_claims = 0;
    claim_table small(none);
    const claim_answer table_full = small.begin(first, hello, now_seconds + 60, samples::now());
    CHECK(table_full.step == claim_step::full);
    CHECK_FALSE(table_full.payer_full);
}

TEST_CASE("a payment is known under its key, for what it was claimed for", "[x402][claims]")
{
    claim_table table;
    CHECK(table.look_up(key("n"), hello) == claim_match::none);
    CHECK(table.terms_of(key("n")) == nullptr);
    CHECK_FALSE(table.may_be_settled(key("n")));
    auto terms = std::make_shared<claim_terms>();
    terms->offer = "demo/hello";
    table.begin(key("n"), hello, now_seconds + 60, samples::now(), terms);
    CHECK_FALSE(table.may_be_settled(key("n")));
    table.settling(key("n"));
    CHECK(table.may_be_settled(key("n")));
    CHECK(table.look_up(key("n"), hello) == claim_match::same);
    CHECK(table.look_up(key("n"), other) == claim_match::other);
    claim_binding told = hello;
    told.request_id = "abc";
    CHECK(table.look_up(key("n"), told) == claim_match::same);

    settle_history history;
    history.told = {"0x1"};
    table.unknown(key("n"), history);
    const clock::time_point later = samples::now() + std::chrono::seconds(5);
    const claim_answer again = table.begin(key("n"), hello, now_seconds + 60, later);
    CHECK(again.step == claim_step::resolve);
    CHECK(again.terms == terms);
    CHECK(again.history.doubt);
    CHECK(again.history.told == history.told);
    CHECK(again.began == static_cast<std::uint64_t>(now_seconds));
    // Terms are not kept for longer than they are needed.
    table.used(key("n"));
    CHECK(table.terms_of(key("n")) == nullptr);
    CHECK(table.look_up(key("n"), hello) == claim_match::same);
}

TEST_CASE("settled payments are reported once for each way they go", "[x402][claims]")
{
    claim_table table;
    std::vector<std::string> lines;
    table.on_report([&](const claim_report& told) {
        lines.push_back(fmt::format(
            "{} {} {} {}{}",
            static_cast<int>(told.what),
            told.key.nonce(),
            told.state,
            told.terms != nullptr ? told.terms->offer : "",
            told.proof.transaction
        ));
    });
    auto terms = std::make_shared<claim_terms>();
    terms->offer = "demo/hello ";
    const auto begin_with_terms = [&](const char* name) {
        table.begin(key(name), hello, now_seconds + 60, samples::now(), terms);
    };
    begin_with_terms("served");
    table.settled(key("served"), "r", {"0x1", true});
    table.delivered(key("served"));
    begin_with_terms("refused");
    table.release(key("refused"));
    begin_with_terms("lost");
    table.settled(key("lost"), "r", {"0x2", true});
    for (int i = 0; i < 3; ++i)
    {
        table.undelivered(key("lost"));
        begin(table, "lost");
    }
    CHECK(
        lines == std::vector<std::string>{"0 served granted demo/hello 0x1", "1 lost granted demo/hello 0x2"}
    );
    table.delivered(key("lost"));
    CHECK(lines.size() == 3);

    lines.clear();
    begin_with_terms("verifying");
    begin_with_terms("settling");
    table.settling(key("settling"));
    begin_with_terms("unknown");
    table.unknown(key("unknown"));
    table.report_left();
    std::sort(lines.begin(), lines.end());
    CHECK(
        lines == std::vector<std::string>{"3 settling settling demo/hello ", "3 unknown unknown demo/hello "}
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

    // Whatever was wanted, the key is among those that are looked for.
    const std::vector<claim_key> keys = keys_of(v2, networks());
    CHECK(std::find(keys.begin(), keys.end(), key_of(v2, usdc_requirement())) != keys.end());
    CHECK(keys_of(permit, networks()) == std::vector<claim_key>{key_of(permit, permit2_requirement())});
    payment foreign = v2;
    foreign.network = "eip155:31337000";
    CHECK(keys_of(foreign, networks()).empty());
    foreign.kind = payment_kind::other;
    CHECK(keys_of(foreign, networks()).empty());
    const claim_key one = key_of(v2, usdc_requirement());
    CHECK(one.payer() == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    CHECK(one.nonce() == v2.nonce);
    CHECK(claim_key::of_text(one.text()) == one);

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
