#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/guarded_facilitator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>
#include <optional>
#include <stdexcept>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// Answers every call alike; while held, calls wait for go().
class inner_facilitator final : public facilitator_client
{
public:
    explicit inner_facilitator(asio::io_context& context) : hold_(context) { go(); }

    verify_outcome verified = verify_valid();
    settle_outcome settled = settle_refused("insufficient_funds");
    int calls = 0;
    bool throws = false;
    bool holds_settlements_only = false;

    void hold() { hold_.expires_at(std::chrono::steady_clock::time_point::max()); }
    void go() { hold_.expires_at(std::chrono::steady_clock::time_point::min()); }

    asio::awaitable<verify_outcome> verify(
        std::string, const payment&, const payment_requirement&, facilitator_caller, std::chrono::milliseconds
    ) override
    {
        ++calls;
        if (!holds_settlements_only)
            co_await held();
        if (throws)
            throw std::runtime_error("a fault");
        co_return verified;
    }

    asio::awaitable<settle_outcome> settle(
        std::string, const payment&, const payment_requirement&, facilitator_caller, std::chrono::milliseconds
    ) override
    {
        ++calls;
        co_await held();
        co_return settled;
    }

private:
    asio::awaitable<void> held()
    {
        boost::system::error_code ignored;
        co_await hold_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    asio::steady_timer hold_;
};

struct fixture
{
    asio::io_context context;
    portitor::test::manual_timekeeper time;
    inner_facilitator inner{context};
    facilitator_limits limits;
    std::optional<guarded_facilitator> made;
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    std::string url = "https://f.test";

    guarded_facilitator& guard()
    {
        if (!made)
            made.emplace(inner, time, limits);
        return *made;
    }

    verify_outcome verify()
    {
        return portitor::test::run(context, guard().verify(url, offered, wanted, {}, 3s));
    }

    settle_outcome settle()
    {
        return portitor::test::run(context, guard().settle(url, offered, wanted, {}, 3s));
    }

    // Begins a call that ends with inner.go(); its place is kept until then.
    void start_verify()
    {
        asio::co_spawn(context, guard().verify(url, offered, wanted, {}, 3s), [](auto, const auto&) {});
        poll();
    }
    void start_settle()
    {
        asio::co_spawn(context, guard().settle(url, offered, wanted, {}, 3s), [](auto, const auto&) {});
        poll();
    }
    void poll()
    {
        context.restart();
        context.poll();
    }

    void fail_verify(int times = 1, errc code = errc::timed_out)
    {
        inner.verified = verify_unavailable(error(code, "no answer"));
        for (int i = 0; i < times; ++i)
            verify();
    }

    bool passes()
    {
        const int before = inner.calls;
        verify();
        return inner.calls > before;
    }

    facilitator_state state()
    {
        const auto all = guard().states();
        for (const auto& each : all)
            if (each.url == url)
                return each;
        return {};
    }

    std::chrono::seconds rejected_for()
    {
        const int before = inner.calls;
        const verify_outcome verified = verify();
        const settle_outcome settled = settle();
        REQUIRE(inner.calls == before);
        const auto& down = std::get<verify_unavailable>(verified);
        const auto& unsent = std::get<settle_not_sent>(settled);
        CHECK(down.failure.code() == errc::unavailable);
        CHECK(unsent.failure.code() == errc::unavailable);
        CHECK(down.retry_after == unsent.retry_after);
        return down.retry_after;
    }
};

}  // namespace

TEST_CASE("answers pass the guard as they are", "[x402][guard]")
{
    fixture f;
    CHECK(std::holds_alternative<verify_valid>(f.verify()));
    CHECK(std::get<settle_refused>(f.settle()).reason == "insufficient_funds");
    CHECK(f.state().calls == 2);
    CHECK(f.state().failures == 0);
    CHECK(f.state().in_flight == 0);
    CHECK(f.state().circuit == circuit_state::closed);
}

TEST_CASE("so many calls are in flight and no more, and some places are for settlements", "[x402][guard]")
{
    fixture f;
    f.limits.in_flight = 4;
    f.limits.verifies_in_flight = 3;
    f.inner.hold();
    for (int i = 0; i < 3; ++i)
        f.start_verify();
    CHECK(f.state().in_flight == 3);
    CHECK(std::get<verify_unavailable>(f.verify()).retry_after == 1s);
    CHECK(f.inner.calls == 3);
    f.start_settle();
    CHECK(f.inner.calls == 4);
    CHECK(f.rejected_for() == 1s);
    CHECK(f.state().rejected == 3);

    f.inner.go();
    f.poll();
    CHECK(f.state().in_flight == 0);
    // Settlements may have every place.
    f.inner.hold();
    for (int i = 0; i < 4; ++i)
        f.start_settle();
    CHECK(f.inner.calls == 8);
    CHECK(f.rejected_for() == 1s);
    f.inner.go();
    f.poll();
    CHECK(f.passes());
    CHECK(f.state().circuit == circuit_state::closed);
}

TEST_CASE("a facilitator that fails several times in a row is left alone for a while", "[x402][guard]")
{
    for (const errc code : {errc::unavailable, errc::timed_out, errc::protocol})
    {
        fixture f;
        f.fail_verify(4, code);
        CHECK(f.state().circuit == circuit_state::closed);
        f.fail_verify(1, code);
        CHECK(f.state().circuit == circuit_state::open);
        CHECK(f.state().failures == 5);
        CHECK(f.rejected_for() == 5s);
        f.time.advance(4'200ms);
        CHECK(f.rejected_for() == 1s);
        f.time.advance(800ms);
        CHECK(f.state().circuit == circuit_state::half_open);
        f.inner.verified = verify_invalid("insufficient_funds");
        CHECK(f.passes());
        CHECK(f.state().circuit == circuit_state::closed);
        CHECK(f.passes());
    }
}

TEST_CASE("settlements count like verifications", "[x402][guard]")
{
    const settle_outcome failures[] = {
        settle_unknown(error(errc::timed_out, "")), settle_not_sent(error(errc::unavailable, ""))};
    for (const settle_outcome& each : failures)
    {
        fixture f;
        f.inner.settled = each;
        for (int i = 0; i < 5; ++i)
            f.settle();
        CHECK(f.state().circuit == circuit_state::open);
    }
}

TEST_CASE("judgements, and what may be the payment's fault, open no circuit", "[x402][guard]")
{
    fixture f;
    f.inner.verified = verify_invalid("insufficient_funds");
    f.inner.settled = settle_unknown(error(errc::refused, "settlement_pending"));
    for (int i = 0; i < 20; ++i)
    {
        f.verify();
        f.settle();
    }
    f.fail_verify(20, errc::refused);
    f.fail_verify(20, errc::invalid);
    f.fail_verify(20, errc::canceled);
    CHECK(f.state().circuit == circuit_state::closed);
    CHECK(f.state().failures == 0);
    CHECK(f.state().calls == 100);
    // Nor do they end a row of failures.
    f.fail_verify(4);
    f.fail_verify(1, errc::refused);
    f.fail_verify(1);
    CHECK(f.state().circuit == circuit_state::open);
}

TEST_CASE("an answer ends a row of failures", "[x402][guard]")
{
    fixture f;
    for (int i = 0; i < 5; ++i)
    {
        f.fail_verify(4);
        f.settle();
    }
    CHECK(f.state().circuit == circuit_state::closed);
}

TEST_CASE("each failed probe doubles the pause, up to a minute", "[x402][guard]")
{
    fixture f;
    f.fail_verify(5);
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s})
    {
        CHECK(f.rejected_for() == pause);
        f.time.advance(pause);
        CHECK(f.passes());
    }
    f.time.advance(60s);
    f.inner.verified = verify_valid();
    CHECK(f.passes());
    // Forgotten once it answers.
    f.fail_verify(5);
    CHECK(f.rejected_for() == 5s);
}

TEST_CASE("one call probes at a time", "[x402][guard]")
{
    fixture f;
    f.fail_verify(5);
    f.time.advance(5s);
    f.inner.hold();
    f.start_settle();
    CHECK(f.inner.calls == 6);
    CHECK(f.rejected_for() == 1s);

    SECTION("and closes the circuit")
    {
        f.inner.go();
        f.poll();
        CHECK(f.state().circuit == circuit_state::closed);
    }
    SECTION("or tells nothing, and the next one probes")
    {
        f.inner.settled = settle_unknown(error(errc::refused, ""));
        f.inner.go();
        f.poll();
        CHECK(f.state().circuit == circuit_state::half_open);
        CHECK(f.passes());
    }
}

TEST_CASE("a call that throws or is destroyed gives its place back", "[x402][guard]")
{
    fixture f;
    f.fail_verify(5);
    f.time.advance(5s);
    f.inner.throws = true;
    CHECK_THROWS(f.verify());
    CHECK(f.state().in_flight == 0);
    f.inner.throws = false;
    CHECK(f.passes());
}

TEST_CASE("calls that began before the circuit opened do not open it further or close it", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    f.inner.verified = verify_unavailable(error(errc::timed_out, ""));
    for (int i = 0; i < 12; ++i)
        f.start_verify();
    f.inner.go();
    f.poll();
    CHECK(f.state().failures == 12);
    CHECK(f.rejected_for() == 5s);

    fixture g;
    g.inner.holds_settlements_only = true;
    g.inner.hold();
    g.start_settle();
    g.fail_verify(5);
    g.inner.go();
    g.poll();
    CHECK(g.state().in_flight == 0);
    CHECK(g.state().circuit == circuit_state::open);
}

TEST_CASE("a facilitator that asks to wait is not asked until then", "[x402][guard]")
{
    fixture f;
    f.inner.verified = verify_unavailable(error(errc::unavailable, ""), 7s);
    f.verify();
    CHECK(f.state().held);
    CHECK(f.rejected_for() == 7s);
    f.time.advance(6'500ms);
    CHECK(f.rejected_for() == 1s);
    f.time.advance(500ms);
    CHECK_FALSE(f.state().held);
    // It is alive, however often it asks.
    for (int i = 0; i < 10; ++i)
    {
        CHECK(f.passes());
        f.time.advance(7s);
    }
    CHECK(f.state().failures == 0);
    CHECK(f.state().circuit == circuit_state::closed);

    f.inner.settled = settle_unknown(error(errc::unavailable, ""), 3'600s);
    f.settle();
    CHECK(f.rejected_for() == 60s);
    f.time.advance(60s);
    CHECK(f.passes());
}

TEST_CASE("each facilitator has a state of its own", "[x402][guard]")
{
    fixture f;
    f.fail_verify(5);
    f.url = "https://g.test";
    CHECK(f.passes());
    const auto states = f.guard().states();
    REQUIRE(states.size() == 2);
    CHECK(states[0].url == "https://f.test");
    CHECK(states[0].circuit == circuit_state::open);
    CHECK(states[1].circuit == circuit_state::closed);
    CHECK(std::string(to_string(states[0].circuit)) == "open");
}

TEST_CASE("no more facilitators are remembered than there is room for", "[x402][guard]")
{
    fixture f;
    f.limits.facilitators = 2;
    f.fail_verify(5);
    f.inner.verified = verify_valid();
    for (const char* url : {"https://g.test", "https://h.test", "https://i.test"})
    {
        f.url = url;
        CHECK(f.passes());
        CHECK(f.guard().states().size() == 2);
    }
    f.inner.hold();
    f.start_settle();
    f.url = "https://j.test";
    CHECK(f.rejected_for() == 1s);
    f.inner.go();
    f.poll();
    CHECK(f.passes());
}
