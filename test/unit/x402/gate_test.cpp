#include "catch.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/gate.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <list>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// Answers by script; an unscripted question, or one marked `throws`, throws. While held, answers wait for
// go().
class scripted_facilitator final : public facilitator_client
{
public:
    explicit scripted_facilitator(asio::io_context& context) : hold_(context) { go(); }

    std::deque<verify_outcome> verifies;
    std::deque<settle_outcome> settles;
    int verified = 0;
    int settled = 0;
    bool throws = false;
    std::vector<milliseconds> timeouts;
    std::vector<std::string> payloads;

    void hold() { hold_.expires_at(std::chrono::steady_clock::time_point::max()); }
    void go() { hold_.expires_at(std::chrono::steady_clock::time_point::min()); }

    asio::awaitable<verify_outcome>
    verify(std::string, const payment&, const payment_requirement&, milliseconds timeout) override
    {
        ++verified;
        timeouts.push_back(timeout);
        co_await held();
        co_return next(verifies);
    }

    asio::awaitable<settle_outcome>
    settle(std::string, const payment& offered, const payment_requirement&, milliseconds timeout) override
    {
        ++settled;
        timeouts.push_back(timeout);
        payloads.push_back(json::serialize(offered.raw));
        co_await held();
        co_return next(settles);
    }

private:
    asio::awaitable<void> held()
    {
        boost::system::error_code ignored;
        co_await hold_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    template <typename T>
    T next(std::deque<T>& script)
    {
        if (throws || script.empty())
            throw std::runtime_error("unscripted");
        T outcome = std::move(script.front());
        script.pop_front();
        return outcome;
    }

    asio::steady_timer hold_;
};

error down(errc code = errc::timed_out)
{
    return {code, "no answer"};
}

settle_outcome success()
{
    json::object receipt;
    receipt["success"] = true;
    receipt["transaction"] = "0xe16d";
    return settle_settled("0xe16d", receipt);
}

// One request under way.
struct request
{
    std::optional<verdict> made;
    bool done = false;
    std::exception_ptr failure;
    asio::cancellation_signal signal;
};

struct fixture
{
    asio::io_context context;
    manual_clock time;
    scripted_facilitator facilitator{context};
    std::shared_ptr<claim_table> claims = std::make_shared<claim_table>();
    gate_limits limits;
    gate engine{facilitator, claims, time, limits};
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    claim_binding binding{"demo/hello", "GET", "/services/hello"};
    milliseconds deadline{20'000};
    std::list<request> requests;

    void poll()
    {
        context.restart();
        context.poll();
    }

    request& start()
    {
        request& one = requests.emplace_back();
        asio::co_spawn(
            context,
            engine.pay(
                offered, wanted, "https://f.test", binding, std::chrono::steady_clock::now() + deadline
            ),
            asio::bind_cancellation_slot(
                one.signal.slot(),
                [&one](std::exception_ptr failure, verdict made) {
                    one.done = true;
                    one.failure = failure;
                    one.made.emplace(std::move(made));
                }
            )
        );
        poll();
        return one;
    }

    verdict pay()
    {
        request& one = start();
        context.restart();
        for (int i = 0; i < 50 && !one.done; ++i)
            context.run_one_for(milliseconds(100));
        REQUIRE(one.done);
        REQUIRE_FALSE(one.failure);
        return *one.made;
    }

    // The state of the claim, as begin() tells it; changes nothing that a test looks at later.
    claim_step state() { return claims->begin(key(), binding, offered.valid_before, time.now()).step; }
    claim_key key() const { return key_of(offered, wanted); }
};

template <typename T>
const T& expect(const verdict& made)
{
    INFO("verdict " << made.index());
    if (const auto* unavailable = std::get_if<verdict_unavailable>(&made))
        INFO(unavailable->why);
    REQUIRE(std::holds_alternative<T>(made));
    return std::get<T>(made);
}

unavailable_cause expect_unavailable(const verdict& made)
{
    const auto& unavailable = expect<verdict_unavailable>(made);
    CHECK(unavailable.retry_after > std::chrono::seconds(0));
    return unavailable.cause;
}

}  // namespace

TEST_CASE("a good payment is verified, settled and granted once", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict made = f.pay();
    const auto& paid = expect<verdict_paid>(made);
    CHECK(paid.payer == f.offered.payer);
    CHECK(paid.key == f.key());
    CHECK_FALSE(paid.again);
    CHECK(json::parse(decode_base64(paid.receipt).value()).at("transaction") == "0xe16d");
    CHECK(f.facilitator.timeouts[0] <= milliseconds(5'000));
    CHECK(f.facilitator.timeouts[1] <= milliseconds(15'000));
    CHECK(f.facilitator.timeouts[1] > milliseconds(14'000));

    f.engine.delivered(paid.key);
    CHECK(expect<verdict_already_used>(f.pay()).receipt == paid.receipt);
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine.counters().paid == 1);
    CHECK(f.engine.counters().already_used == 1);
}

TEST_CASE("an answer that was not delivered is given again, without a second settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    f.engine.undelivered(expect<verdict_paid>(first).key);
    // The window is over, but the money was paid in it.
    f.time.time += std::chrono::hours(1);
    const verdict second = f.pay();
    CHECK(expect<verdict_paid>(second).again);
    CHECK(expect<verdict_paid>(second).receipt == expect<verdict_paid>(first).receipt);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.engine.counters().paid_again == 1);
    f.engine.delivered(f.key());
    expect<verdict_already_used>(f.pay());
}

TEST_CASE("the same payment buys nothing at another URI", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    f.binding.uri = "/services/hello?page=2";
    CHECK(expect<verdict_already_used>(f.pay()).receipt == expect<verdict_paid>(first).receipt);
    f.engine.undelivered(f.key());
    expect<verdict_already_used>(f.pay());
    f.binding.uri = "/services/hello";
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("a payment out of its time is refused without asking anyone", "[x402][gate]")
{
    fixture f;
    f.time.time += std::chrono::minutes(5);
    CHECK(
        expect<verdict_payment_required>(f.pay()).reason ==
        "invalid_exact_evm_payload_authorization_valid_before"
    );
    CHECK(f.facilitator.verified == 0);
    CHECK(f.claims->size() == 0);
}

TEST_CASE("a refused verification frees the claim and asks for payment", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_invalid("insufficient_funds"), verify_valid()};
    f.facilitator.settles = {success()};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.claims->size() == 0);
    CHECK(f.facilitator.settled == 0);
    // Funds have come.
    expect<verdict_paid>(f.pay());
}

TEST_CASE("a payment that was settled elsewhere is used, never asked for again", "[x402][gate]")
{
    for (const char* reason :
         {"invalid_exact_evm_nonce_already_used", "duplicate_settlement", "permit2_invalid_nonce"})
    {
        INFO(reason);
        fixture at_verify;
        at_verify.facilitator.verifies = {verify_invalid(reason)};
        CHECK(expect<verdict_already_used>(at_verify.pay()).receipt.empty());

        fixture at_settle;
        at_settle.facilitator.verifies = {verify_valid()};
        at_settle.facilitator.settles = {settle_refused(reason)};
        expect<verdict_already_used>(at_settle.pay());
        expect<verdict_already_used>(at_settle.pay());
        CHECK(at_settle.facilitator.verified == 1);
    }
}

TEST_CASE("a facilitator that cannot verify settles nothing", "[x402][gate]")
{
    const std::pair<errc, unavailable_cause> failures[] = {
        {errc::timed_out, unavailable_cause::facilitator},
        {errc::unavailable, unavailable_cause::facilitator},
        {errc::invalid, unavailable_cause::facilitator},
        {errc::protocol, unavailable_cause::facilitator_broken},
    };
    for (const auto& [code, cause] : failures)
    {
        fixture f;
        f.facilitator.verifies = {verify_unavailable(down(code)), verify_valid()};
        f.facilitator.settles = {success()};
        CHECK(expect_unavailable(f.pay()) == cause);
        CHECK(f.claims->size() == 0);
        CHECK(f.facilitator.settled == 0);
        expect<verdict_paid>(f.pay());
        CHECK(f.engine.counters().facilitator_unavailable == 1);
    }
}

TEST_CASE("a settlement that was never sent frees the claim", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_not_sent(down(errc::unavailable))};
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::facilitator);
    CHECK(f.claims->size() == 0);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a refused settlement frees the claim and asks for payment", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_refused("insufficient_funds")};
    CHECK(expect<verdict_payment_required>(f.pay()).reason == "insufficient_funds");
    CHECK(f.claims->size() == 0);
}

TEST_CASE("an unknown settlement is tried once more with the same payload", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), success()};
    expect<verdict_paid>(f.pay());
    REQUIRE(f.facilitator.payloads.size() == 2);
    CHECK(f.facilitator.payloads[0] == f.facilitator.payloads[1]);
    // The first leaves time for the second, which may take all of it.
    CHECK(f.facilitator.timeouts[1] <= milliseconds(15'000));
    CHECK(f.facilitator.timeouts[2] > milliseconds(15'000));
    CHECK(f.engine.counters().settle_retries == 1);
    CHECK(f.engine.counters().paid == 1);
}

TEST_CASE("after an unknown settlement nobody is asked to pay again", "[x402][gate]")
{
    const settle_outcome seconds[] = {
        settle_unknown(down()),
        settle_not_sent(down(errc::unavailable)),
        // The first settlement may have taken the very funds that are missing now.
        settle_refused("insufficient_funds"),
    };
    for (const settle_outcome& second : seconds)
    {
        INFO(second.index());
        fixture f;
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down()), second};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 2);
        CHECK(f.state() == claim_step::resolve);
        CHECK(f.engine.counters().settlement_unknown == 1);
    }

    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_refused("invalid_exact_evm_nonce_already_used")};
    expect<verdict_already_used>(f.pay());
}

TEST_CASE("a later copy resolves an unknown settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {settle_unknown(down()), settle_unknown(down())};
    expect_unavailable(f.pay());

    SECTION("as settled")
    {
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
        f.engine.delivered(f.key());
        expect<verdict_already_used>(f.pay());
    }
    SECTION("as settled, after the window")
    {
        f.time.time += std::chrono::hours(1);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
    }
    SECTION("as used")
    {
        f.facilitator.settles = {settle_refused("duplicate_settlement")};
        expect<verdict_already_used>(f.pay());
        expect<verdict_already_used>(f.pay());
        CHECK(f.facilitator.settled == 3);
    }
    SECTION("not yet")
    {
        f.facilitator.settles = {
            settle_unknown(down()), settle_not_sent(down()), settle_refused("insufficient_funds")};
        for (int i = 0; i < 3; ++i)
            CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 5);
        CHECK(f.engine.counters().resolutions == 3);
    }
    SECTION("as over, once the payment has expired")
    {
        f.time.time += std::chrono::hours(1);
        f.facilitator.settles = {settle_refused("invalid_exact_evm_payload_authorization_valid_before")};
        expect<verdict_already_used>(f.pay());
        expect<verdict_already_used>(f.pay());
        CHECK(f.facilitator.settled == 3);
    }
    SECTION("only for the same purchase")
    {
        f.binding.method = "POST";
        CHECK(expect<verdict_already_used>(f.pay()).receipt.empty());
        CHECK(f.facilitator.settled == 2);
    }
    CHECK(f.facilitator.verified == 1);
}

TEST_CASE("copies wait for the outcome, and one of them gets the grant", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& first = f.start();
    request& second = f.start();
    request& third = f.start();
    CHECK(f.facilitator.verified == 1);
    f.facilitator.go();
    f.poll();
    REQUIRE(first.done);
    expect<verdict_paid>(*first.made);
    // The answer is being written: copies wait for that.
    CHECK_FALSE(second.done);
    CHECK_FALSE(third.done);

    SECTION("delivered")
    {
        f.engine.delivered(f.key());
        f.poll();
        REQUIRE(second.done);
        REQUIRE(third.done);
        expect<verdict_already_used>(*second.made);
        expect<verdict_already_used>(*third.made);
    }
    SECTION("undelivered")
    {
        f.engine.undelivered(f.key());
        f.poll();
        REQUIRE(second.done != third.done);
        request& granted = second.done ? second : third;
        request& waiting = second.done ? third : second;
        CHECK(expect<verdict_paid>(*granted.made).again);
        f.engine.delivered(f.key());
        f.poll();
        REQUIRE(waiting.done);
        expect<verdict_already_used>(*waiting.made);
    }
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
}

TEST_CASE("a copy takes over when the first is refused", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_unavailable(down()), verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& first = f.start();
    request& second = f.start();
    f.facilitator.go();
    f.poll();
    REQUIRE(first.done);
    expect_unavailable(*first.made);
    REQUIRE(second.done);
    expect<verdict_paid>(*second.made);
}

TEST_CASE("a copy that waits too long is told to come again", "[x402][gate]")
{
    fixture f;
    f.facilitator.hold();
    f.start();
    f.deadline = milliseconds(5);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.engine.counters().busy == 1);
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.go();
    f.poll();
    expect<verdict_paid>(*f.requests.front().made);
}

TEST_CASE("no settlement begins without the time for it", "[x402][gate]")
{
    fixture f;
    f.deadline = milliseconds(500);
    CHECK(expect_unavailable(f.pay()) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
    CHECK(f.claims->size() == 0);

    SECTION("after a slow verification")
    {
        f.deadline = milliseconds(1'020);
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.hold();
        request& one = f.start();
        std::this_thread::sleep_for(milliseconds(30));
        f.facilitator.go();
        f.poll();
        REQUIRE(one.done);
        CHECK(expect_unavailable(*one.made) == unavailable_cause::facilitator);
        CHECK(f.facilitator.settled == 0);
        CHECK(f.claims->size() == 0);
    }
    SECTION("again after a slow settlement")
    {
        f.deadline = milliseconds(1'020);
        f.facilitator.verifies = {verify_valid()};
        f.facilitator.settles = {settle_unknown(down())};
        // Verification passes at once, settlement is held.
        request& one = f.requests.emplace_back();
        asio::co_spawn(
            f.context,
            f.engine.pay(f.offered, f.wanted, "u", f.binding, std::chrono::steady_clock::now() + f.deadline),
            [&one](std::exception_ptr, verdict made) {
                one.done = true;
                one.made.emplace(std::move(made));
            }
        );
        f.context.restart();
        while (f.facilitator.verified == 0)
            f.context.run_one();
        f.facilitator.hold();
        f.poll();
        if (f.facilitator.settled == 0)
        {
            // Held in verification already: let that one pass.
            f.facilitator.go();
            while (f.facilitator.settled == 0)
                f.context.run_one();
            f.facilitator.hold();
            f.poll();
        }
        std::this_thread::sleep_for(milliseconds(30));
        f.facilitator.go();
        f.poll();
        REQUIRE(one.done);
        CHECK(f.facilitator.settled == 1);
        CHECK(expect_unavailable(*one.made) == unavailable_cause::settlement_unknown);
        // Nor is it resolved without it.
        f.deadline = milliseconds(500);
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::settlement_unknown);
        CHECK(f.facilitator.settled == 1);
        f.deadline = milliseconds(20'000);
        f.facilitator.settles = {success()};
        expect<verdict_paid>(f.pay());
    }
}

TEST_CASE("a full table is busy, not open", "[x402][gate]")
{
    fixture f;
    claim_limits none;
    none.max_claims = 0;
    gate engine(f.facilitator, std::make_shared<claim_table>(none), f.time);
    const verdict made = portitor::test::run(
        f.context,
        engine.pay(
            f.offered, f.wanted, "u", f.binding, std::chrono::steady_clock::now() + std::chrono::seconds(1)
        )
    );
    CHECK(expect_unavailable(made) == unavailable_cause::busy);
    CHECK(f.facilitator.verified == 0);
}

TEST_CASE("too many copies of one payment are busy", "[x402][gate]")
{
    fixture f;
    f.facilitator.hold();
    for (int i = 0; i < 65; ++i)
        CHECK_FALSE(f.start().done);
    request& extra = f.start();
    REQUIRE(extra.done);
    CHECK(expect_unavailable(*extra.made) == unavailable_cause::busy);
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.go();
    f.poll();
    f.engine.delivered(f.key());
    f.poll();
    int paid = 0;
    int used = 0;
    for (const request& each : f.requests)
    {
        REQUIRE(each.done);
        paid += std::holds_alternative<verdict_paid>(*each.made);
        used += std::holds_alternative<verdict_already_used>(*each.made);
    }
    CHECK(paid == 1);
    CHECK(used == 64);
}

TEST_CASE("an exception leaves no claim in flight", "[x402][gate]")
{
    fixture f;
    SECTION("before the settlement: released")
    {
        f.facilitator.throws = true;
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.claims->size() == 0);
    }
    SECTION("in the settlement: unknown")
    {
        f.facilitator.verifies = {verify_valid()};
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.facilitator.settled == 1);
        CHECK(f.state() == claim_step::resolve);
        f.claims->unknown(f.key());
        // In the resolution: still unknown.
        CHECK(expect_unavailable(f.pay()) == unavailable_cause::internal);
        CHECK(f.state() == claim_step::resolve);
    }
    CHECK(f.engine.counters().internal > 0);
}

TEST_CASE("a buyer who hangs up does not stop the settlement", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    request& one = f.start();
    one.signal.emit(asio::cancellation_type::terminal);
    f.poll();
    CHECK_FALSE(one.done);
    f.facilitator.go();
    f.poll();
    REQUIRE(one.done);
    REQUIRE_FALSE(one.failure);
    expect<verdict_paid>(*one.made);
    CHECK(f.facilitator.settled == 1);
    f.engine.undelivered(f.key());
    CHECK(expect<verdict_paid>(f.pay()).again);
}

TEST_CASE("a process that ends in a settlement destroys cleanly", "[x402][gate]")
{
    const auto claims = std::make_shared<claim_table>();
    {
        fixture f;
        gate engine(f.facilitator, claims, f.time);
        f.facilitator.hold();
        asio::co_spawn(
            f.context,
            engine.pay(f.offered, f.wanted, "u", f.binding, std::chrono::steady_clock::now() + f.deadline),
            [](std::exception_ptr, const verdict&) { FAIL("it cannot have ended"); }
        );
        f.poll();
        CHECK(claims->size() == 1);
    }
    CHECK(claims->size() == 0);
}

TEST_CASE("an answer without a report counts as undelivered", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    const verdict first = f.pay();
    {
        delivery_guard guard = f.engine.guard_delivery(expect<verdict_paid>(first));
        delivery_guard moved = std::move(guard);
        CHECK(f.state() == claim_step::wait);
    }
    const verdict second = f.pay();
    {
        delivery_guard guard;
        guard = f.engine.guard_delivery(expect<verdict_paid>(second));
        guard.delivered();
    }
    expect<verdict_already_used>(f.pay());
}
