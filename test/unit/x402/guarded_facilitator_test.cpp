#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "samples.hpp"
#include "x402/held_callers.hpp"

#include <portitor/x402/guarded_facilitator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
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

facilitator_caller caller_of(unsigned payer, const std::string& offer = "shop/hello", bool proven = true)
{
    evm::address::bytes_type bytes{};
    bytes[18] = static_cast<std::uint8_t>(payer >> 8U);
    bytes[19] = static_cast<std::uint8_t>(payer);
    return {offer.substr(0, offer.find('/')), offer, evm::address(bytes), proven};
}

facilitator_caller unproven(unsigned payer, const std::string& offer = "shop/hello")
{
    return caller_of(payer, offer, false);
}

template <typename Outcome>
Outcome failure(facilitator_trouble wrong, errc code = errc::timed_out)
{
    Outcome out(error(code, "no answer"));
    out.trouble = wrong;
    return out;
}

using trouble = facilitator_trouble;

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

    verify_outcome verify(const facilitator_caller& who = caller_of(1))
    {
        return portitor::test::run(context, guard().verify(url, offered, wanted, who, 3s));
    }

    settle_outcome settle(const facilitator_caller& who = caller_of(1))
    {
        return portitor::test::run(context, guard().settle(url, offered, wanted, who, 3s));
    }

    // Begin calls that end with inner.go(); their places are kept until then. How many were passed on.
    int start_verifies(int number, const std::function<facilitator_caller(unsigned)>& who)
    {
        const int before = inner.calls;
        for (int i = 0; i < number; ++i)
            asio::co_spawn(
                context,
                guard().verify(url, offered, wanted, who(static_cast<unsigned>(i)), 3s),
                [](auto, const auto&) {}
            );
        poll();
        return inner.calls - before;
    }
    int start_settles(int number, const std::function<facilitator_caller(unsigned)>& who)
    {
        const int before = inner.calls;
        for (int i = 0; i < number; ++i)
            asio::co_spawn(
                context,
                guard().settle(url, offered, wanted, who(static_cast<unsigned>(i)), 3s),
                [](auto, const auto&) {}
            );
        poll();
        return inner.calls - before;
    }
    void poll()
    {
        context.restart();
        context.poll();
    }
    void go()
    {
        inner.go();
        poll();
    }

    // Verifies that fail, each of another payer.
    void fail_verify(int times, trouble wrong, const std::string& offer = "shop/hello")
    {
        inner.verified = failure<verify_unavailable>(wrong);
        for (int i = 0; i < times; ++i)
            verify(caller_of(next_payer++, offer));
        inner.verified = verify_valid();
    }
    void lose(int times = 5) { fail_verify(times, trouble::unreached); }

    bool verifies(const facilitator_caller& who = caller_of(1))
    {
        const int before = inner.calls;
        verify(who);
        return inner.calls > before;
    }
    bool settles(const facilitator_caller& who = caller_of(1))
    {
        const int before = inner.calls;
        settle(who);
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

    // How long it is that neither is passed on.
    std::chrono::seconds rejected_for(const facilitator_caller& who = caller_of(1))
    {
        const int before = inner.calls;
        const verify_outcome verified = verify(who);
        const settle_outcome settled = settle(who);
        REQUIRE(inner.calls == before);
        const auto& down = std::get<verify_unavailable>(verified);
        const auto& unsent = std::get<settle_not_sent>(settled);
        CHECK(down.failure.code() == errc::unavailable);
        CHECK(unsent.failure.code() == errc::unavailable);
        CHECK(down.retry_after == unsent.retry_after);
        return down.retry_after;
    }

    std::chrono::seconds verify_rejected_for(const facilitator_caller& who)
    {
        const int before = inner.calls;
        const verify_outcome verified = verify(who);
        REQUIRE(inner.calls == before);
        return std::get<verify_unavailable>(verified).retry_after;
    }

    unsigned next_payer = 1'000;
};

}  // namespace

TEST_CASE("answers pass the guard as they are", "[x402][guard]")
{
    fixture f;
    CHECK(std::holds_alternative<verify_valid>(f.verify()));
    CHECK(std::get<settle_refused>(f.settle()).reason == "insufficient_funds");
    CHECK(f.state().calls == 2);
    CHECK(f.state().failures() == 0);
    CHECK(f.state().in_flight == 0);
    CHECK(f.state().circuit == circuit_state::closed);
}

TEST_CASE("verifies and settles have places of their own, and nothing queues", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    const auto anyone = [](unsigned i) { return caller_of(i, "t" + std::to_string(i) + "/o"); };
    CHECK(f.start_verifies(500, anyone) == 192);
    CHECK(f.state().in_flight == 192);
    CHECK(f.verify_rejected_for(caller_of(9'000, "new/o")) == 1s);
    CHECK(f.start_settles(2'000, anyone) == 1'024);
    CHECK(f.rejected_for(caller_of(9'000, "new/o")) == 1s);
    CHECK(f.state().rejected_busy == 308 + 976 + 3);
    f.go();
    CHECK(f.state().in_flight == 0);
    CHECK(f.verifies());
    CHECK(f.settles());
}

TEST_CASE("no payer, offer, tenant or crowd of strangers takes all places", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    const int one_payer = f.start_verifies(500, [](unsigned) { return caller_of(1); });
    CHECK(one_payer == 22);
    CHECK(f.start_verifies(500, [](unsigned i) {
        return unproven(i + 10, "t" + std::to_string(i) + "/o");
    }) == 43);
    // Another payer of the same offer is served.
    CHECK(f.start_verifies(1, [](unsigned) { return caller_of(2); }) == 1);
    const int one_offer = f.start_verifies(500, [](unsigned i) { return caller_of(i + 1'000); });
    CHECK(one_offer + one_payer + 1 == 75);
    // And other offers of the namespace, and then other namespaces.
    CHECK(f.start_verifies(1, [](unsigned) { return caller_of(5, "shop/other"); }) == 1);
    CHECK(f.start_verifies(500, [](unsigned i) {
        return caller_of(i + 2'000, "shop/o" + std::to_string(i));
    }) > 10);
    CHECK(f.start_verifies(1, [](unsigned) { return caller_of(6, "shop/new"); }) == 0);
    CHECK(f.start_verifies(10, [](unsigned i) { return caller_of(i + 7'000, "other/hello"); }) == 10);
    f.go();
    CHECK(f.state().in_flight == 0);
}

TEST_CASE("what is not proven takes no place of the payer whom it names", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    CHECK(f.start_verifies(500, [](unsigned) { return unproven(1); }) == 22);
    CHECK(f.start_verifies(18, [](unsigned) { return caller_of(1); }) == 18);
    f.go();
    CHECK(f.state().in_flight == 0);
}

TEST_CASE("settles that hang leave places to those of others", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    const int one_payer = f.start_settles(2'000, [](unsigned) { return caller_of(1); });
    CHECK(one_payer == 114);
    CHECK(f.start_settles(2'000, [](unsigned i) { return caller_of(i + 2); }) + one_payer == 512);
    CHECK(f.start_settles(2'000, [](unsigned i) {
        return caller_of(i + 2, "shop/o" + std::to_string(i));
    }) > 100);
    CHECK(f.start_settles(100, [](unsigned i) { return caller_of(i + 5'000, "other/hello"); }) == 100);
    CHECK(f.start_verifies(1, [](unsigned) { return caller_of(1); }) == 1);
    f.go();
    CHECK(f.state().in_flight == 0);
}

TEST_CASE(
    "a facilitator that is not reached several times in a row is left alone for a while", "[x402][guard]"
)
{
    fixture f;
    f.lose(4);
    CHECK(f.state().circuit == circuit_state::closed);
    f.lose(1);
    CHECK(f.state().circuit == circuit_state::open);
    CHECK(f.state().unreached == 5);
    CHECK(f.rejected_for() == 5s);
    CHECK(f.rejected_for(caller_of(1, "other/hello")) == 5s);
    f.time.advance(4'200ms);
    CHECK(f.rejected_for() == 1s);
    f.time.advance(800ms);
    CHECK(f.state().circuit == circuit_state::half_open);
    f.inner.verified = verify_invalid("insufficient_funds");
    CHECK(f.verifies());
    CHECK(f.state().circuit == circuit_state::closed);
    CHECK(f.verifies());
}

TEST_CASE("settlements that are not sent count like verifications", "[x402][guard]")
{
    fixture f;
    f.inner.settled = failure<settle_not_sent>(trouble::unreached);
    for (int i = 0; i < 5; ++i)
        f.settle();
    CHECK(f.state().circuit == circuit_state::open);
}

TEST_CASE("no answer to a payment opens the circuit of the facilitator", "[x402][guard]")
{
    fixture f;
    for (const trouble each : {trouble::slow, trouble::no_answer, trouble::redirect, trouble::credentials})
        for (int offer = 0; offer < 10; ++offer)
            f.fail_verify(10, each, "t" + std::to_string(offer) + "/o");
    CHECK(f.state().circuit == circuit_state::closed);
    CHECK(f.verifies(caller_of(1, "another/offer")));
}

TEST_CASE("an offer whose payers get no answers is left alone for a while, and it alone", "[x402][guard]")
{
    for (const trouble each : {trouble::slow, trouble::no_answer})
    {
        fixture f;
        f.fail_verify(4, each);
        CHECK(f.state().offers_open == 0);
        f.fail_verify(1, each);
        CHECK(f.state().offers_open == 1);
        CHECK(f.state().circuit == circuit_state::closed);
        CHECK(f.rejected_for() == 5s);
        CHECK(f.state().rejected_open == 2);
        CHECK(f.verifies(caller_of(1, "shop/other")));
        CHECK(f.settles(caller_of(1, "other/hello")));
        f.time.advance(5s);
        CHECK(f.verifies());
        CHECK(f.state().offers_open == 0);
    }
}

TEST_CASE("settlements without an answer count for their offer", "[x402][guard]")
{
    fixture f;
    f.inner.settled = failure<settle_unknown>(trouble::slow);
    for (unsigned i = 0; i < 5; ++i)
        f.settle(caller_of(i));
    CHECK(f.rejected_for() == 5s);
    CHECK(f.verifies(caller_of(1, "shop/other")));
}

TEST_CASE("one payer, or any number of strangers, opens no circuit", "[x402][guard]")
{
    fixture f;
    f.inner.verified = failure<verify_unavailable>(trouble::slow);
    f.inner.settled = failure<settle_unknown>(trouble::no_answer);
    for (unsigned i = 0; i < 100; ++i)
    {
        f.verify(caller_of(1));
        f.settle(caller_of(1));
        f.verify(unproven(i));
        f.settle(unproven(i));
    }
    CHECK(f.state().calls == 400);
    CHECK(f.state().failures() == 400);
    CHECK(f.state().circuit == circuit_state::closed);
    CHECK(f.state().offers_open == 0);
    // Others' failures still count.
    f.fail_verify(4, trouble::slow);
    CHECK(f.state().offers_open == 1);
}

TEST_CASE("judgements, and what may be the payment's fault, open no circuit", "[x402][guard]")
{
    fixture f;
    f.inner.verified = verify_invalid("insufficient_funds");
    f.inner.settled = settle_unknown(error(errc::refused, "settlement_pending"));
    for (unsigned i = 0; i < 20; ++i)
    {
        f.verify(caller_of(i));
        f.settle(caller_of(i));
    }
    for (const errc code : {errc::refused, errc::invalid, errc::canceled})
        for (unsigned i = 0; i < 20; ++i)
        {
            f.inner.verified = failure<verify_unavailable>(trouble::none, code);
            f.verify(caller_of(i));
        }
    CHECK(f.state().circuit == circuit_state::closed);
    CHECK(f.state().offers_open == 0);
    CHECK(f.state().failures() == 0);
    CHECK(f.state().calls == 100);
}

TEST_CASE("an answer ends a row of failures", "[x402][guard]")
{
    fixture f;
    for (int i = 0; i < 5; ++i)
    {
        f.fail_verify(4, trouble::slow);
        f.settle();
    }
    CHECK(f.state().offers_open == 0);
    for (int i = 0; i < 5; ++i)
    {
        f.lose(4);
        // Whatever it says, it is there.
        f.inner.verified = failure<verify_unavailable>(trouble::none, errc::refused);
        f.verify();
    }
    CHECK(f.state().circuit == circuit_state::closed);
}

TEST_CASE("each failed probe doubles the pause, up to a minute", "[x402][guard]")
{
    fixture f;
    f.lose();
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s})
    {
        CHECK(f.rejected_for() == pause);
        f.time.advance(pause);
        f.lose(1);
    }
    f.time.advance(60s);
    CHECK(f.verifies());
    // Forgotten once it answers.
    f.lose();
    CHECK(f.rejected_for() == 5s);
}

TEST_CASE("one call probes at a time", "[x402][guard]")
{
    fixture f;
    f.lose();
    f.time.advance(5s);
    f.inner.hold();
    CHECK(f.start_settles(3, [](unsigned i) { return caller_of(i); }) == 1);
    CHECK(f.rejected_for() == 1s);

    SECTION("and closes the circuit")
    {
        f.go();
        CHECK(f.state().circuit == circuit_state::closed);
    }
    SECTION("or tells nothing, and the next one probes")
    {
        f.inner.settled = failure<settle_unknown>(trouble::none, errc::canceled);
        f.go();
        CHECK(f.state().circuit == circuit_state::half_open);
        CHECK(f.verifies());
    }
    SECTION("or takes long, and the next one probes meanwhile")
    {
        f.time.advance(5s);
        CHECK(f.start_verifies(2, [](unsigned i) { return caller_of(i); }) == 1);
        f.go();
    }
}

TEST_CASE("a stranger's probe does not keep a proven one waiting", "[x402][guard]")
{
    fixture f;
    f.lose();
    f.time.advance(5s);
    f.inner.hold();
    CHECK(f.start_verifies(5, [](unsigned i) { return unproven(i); }) == 1);
    CHECK(f.start_verifies(5, [](unsigned i) { return caller_of(i); }) == 1);
    CHECK(f.verify_rejected_for(unproven(9)) == 1s);
    f.go();
    CHECK(f.state().circuit == circuit_state::closed);

    // Of an offer that had no answers a stranger's failure says nothing.
    f.fail_verify(5, trouble::slow);
    f.time.advance(5s);
    f.inner.verified = failure<verify_unavailable>(trouble::slow);
    f.verify(unproven(1));
    f.inner.verified = verify_valid();
    CHECK(f.verifies());
    CHECK(f.state().offers_open == 0);
}

TEST_CASE("a call that throws or is destroyed gives its place back", "[x402][guard]")
{
    fixture f;
    f.lose();
    f.time.advance(5s);
    f.inner.throws = true;
    CHECK_THROWS(f.verify());
    CHECK(f.state().in_flight == 0);
    f.inner.throws = false;
    CHECK(f.verifies());
}

TEST_CASE("calls that began before the circuit opened do not open it further or close it", "[x402][guard]")
{
    fixture f;
    f.inner.hold();
    f.inner.verified = failure<verify_unavailable>(trouble::unreached);
    f.start_verifies(12, [](unsigned i) { return caller_of(i); });
    f.go();
    CHECK(f.state().unreached == 12);
    CHECK(f.rejected_for() == 5s);

    fixture g;
    g.inner.holds_settlements_only = true;
    g.inner.hold();
    g.start_settles(1, [](unsigned i) { return caller_of(i); });
    g.lose();
    g.go();
    CHECK(g.state().in_flight == 0);
    CHECK(g.state().circuit == circuit_state::open);
}

namespace {

// A fixture whose facilitator asks everybody to wait for 7 s.
struct busy_fixture : fixture
{
    busy_fixture() { ask_to_wait(7s); }

    void ask_to_wait(std::chrono::seconds wait)
    {
        inner.verified = verify_unavailable(error(errc::unavailable, "busy"), wait);
        inner.settled = settle_unknown(error(errc::unavailable, "busy"), wait);
    }
};

}  // namespace

TEST_CASE("who is told to wait is not asked about until then", "[x402][guard]")
{
    busy_fixture f;
    f.verify();
    CHECK(f.verify_rejected_for(caller_of(1)) == 7s);
    f.time.advance(6'500ms);
    CHECK(f.verify_rejected_for(caller_of(1)) == 1s);
    CHECK(f.state().rejected_held == 2);
    f.time.advance(500ms);
    // It is alive, however often it asks.
    for (int i = 0; i < 10; ++i)
    {
        CHECK(f.verifies());
        f.time.advance(7s);
    }
    CHECK(f.state().failures() == 0);
    CHECK(f.state().circuit == circuit_state::closed);

    f.ask_to_wait(3'600s);
    f.settle();
    CHECK(f.rejected_for() == 60s);
    f.time.advance(60s);
    CHECK(f.verifies());
}

TEST_CASE("a payer, an offer and a namespace that are told to wait hold no others", "[x402][guard]")
{
    busy_fixture f;
    // One payer, however often.
    for (int i = 0; i < 5; ++i)
    {
        CHECK(f.verifies(caller_of(1)));
        f.time.advance(7s);
    }
    CHECK(f.verifies(caller_of(1)));
    CHECK(f.verifies(caller_of(2)));
    // Two of them: it is the offer.
    CHECK_FALSE(f.verifies(caller_of(3)));
    CHECK(f.verifies(caller_of(3, "shop/b")));
    CHECK(f.verifies(caller_of(4, "shop/b")));
    // Two offers: the namespace.
    CHECK_FALSE(f.verifies(caller_of(5, "shop/c")));
    CHECK_FALSE(f.state().held);
    for (const char* offer : {"other/a", "other/b"})
        for (const unsigned each : {6U, 7U})
            CHECK(f.verifies(caller_of(each, offer)));
    // Two namespaces: all. Settlements go on all the while.
    CHECK(f.state().held);
    CHECK_FALSE(f.verifies(caller_of(8, "third/a")));
    CHECK(f.settles(caller_of(1)));
    CHECK(f.settles(caller_of(8, "third/a")));
    f.time.advance(7s);
    CHECK_FALSE(f.state().held);
    CHECK(f.verifies(caller_of(8, "third/a")));
}

TEST_CASE("strangers that are told to wait hold strangers only", "[x402][guard]")
{
    busy_fixture f;
    for (unsigned i = 0; i < 100; ++i)
        f.verify(unproven(i));
    CHECK(f.state().calls == 1);
    CHECK(f.verifies(unproven(1, "other/hello")));
    for (const char* offer : {"shop/b", "other/b"})
        f.verify(unproven(1, offer));
    CHECK_FALSE(f.verifies(unproven(7, "third/hello")));
    for (const char* offer : {"shop/hello", "shop/b", "other/hello", "third/hello"})
        CHECK(f.verifies(caller_of(1, offer)));
}

TEST_CASE("who is held takes no more memory than there is", "[x402][guard]")
{
    held_callers held(16);
    const timekeeper::time_point begin{1h};
    for (unsigned i = 0; i < 500; ++i)
    {
        held.hold(caller_of(i, "t" + std::to_string(i) + "/o"), begin + 7s, begin);
        held.hold(unproven(i, "t" + std::to_string(i) + "/o"), begin + 7s, begin);
        CHECK(held.size() <= 16);
    }
    CHECK(held.held_until(caller_of(0, "t0/o")) == begin + 7s);
    // What is over makes room.
    held.hold(caller_of(600, "new/o"), begin + 20s, begin + 7s);
    CHECK(held.held_until(caller_of(600, "new/o")) == begin + 20s);
    CHECK(held.size() == 2);
    CHECK(held.idle(begin + 20s));
}

TEST_CASE("each facilitator has a state of its own", "[x402][guard]")
{
    fixture f;
    f.lose();
    f.url = "https://g.test";
    CHECK(f.verifies());
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
    f.lose();
    for (const char* url : {"https://g.test", "https://h.test", "https://i.test"})
    {
        f.url = url;
        CHECK(f.verifies());
        CHECK(f.guard().states().size() == 2);
    }
    f.inner.hold();
    f.start_settles(1, [](unsigned i) { return caller_of(i); });
    f.url = "https://j.test";
    CHECK(f.rejected_for() == 1s);
    f.go();
    CHECK(f.verifies());
}

TEST_CASE("no more offers are remembered than there is room for", "[x402][guard]")
{
    fixture f;
    f.limits.offers = 4;
    for (int i = 0; i < 50; ++i)
        CHECK(f.verifies(caller_of(1, "shop/" + std::to_string(i))));
    for (int i = 0; i < 50; ++i)
        f.fail_verify(5, trouble::slow, "shop/" + std::to_string(i));
    CHECK(f.state().offers_open == 4);
    CHECK(f.verifies(caller_of(1, "shop/new")));
}
