#include "gate_world.hpp"

#include <boost/asio/detached.hpp>

#include <algorithm>
#include <random>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

// What the chain holds: a payment moves its money once, whoever asks and whatever answer is lost on the way.
struct ledger
{
    bool moved = false;      // by a settlement that was asked for here
    bool elsewhere = false;  // by somebody else, before it came here
    bool expired = false;    // from now on it moves no more
};

// Settles on the ledger, and lies about it in every way that a facilitator and a network can, until it is
// told to be honest.
class unreliable_facilitator final : public facilitator_client
{
public:
    unreliable_facilitator(asio::io_context& context, ledger& chain, std::mt19937& random)
        : context_(context), chain_(chain), random_(random)
    {}

    bool honest = false;
    bool doubtful = false;  // some settlement ended as unknown
    int settled = 0;

    asio::awaitable<verify_outcome>
    verify(std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds) override
    {
        co_await pause();
        const auto way = honest ? 5 : random_() % 6;
        if (way == 0)
            co_return verify_unavailable(down());
        if (way == 1)
            co_return verify_invalid("insufficient_funds");
        // Some look at the nonce only when they settle.
        if ((chain_.moved || chain_.elsewhere) && way > 2)
            co_return verify_invalid("invalid_exact_evm_nonce_already_used");
        co_return verify_valid();
    }

    asio::awaitable<settle_outcome>
    settle(std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds) override
    {
        ++settled;
        const auto way = honest ? 10 : random_() % 11;
        co_await pause();
        if (way == 0)
            co_return settle_not_sent(down(errc::unavailable));
        if (chain_.elsewhere)
            co_return late_for_it(way);
        if (way == 1)
            co_return settle_refused("insufficient_funds");
        if (way == 2)
            co_return unknown();  // lost on the way there
        if (way == 3)
            co_return settle_refused(chain_.moved ? "duplicate_settlement" : "insufficient_funds");
        if (chain_.moved)
            co_return late_for_it(way);
        if (chain_.expired)
            co_return settle_refused("invalid_exact_evm_payload_authorization_valid_before");
        chain_.moved = true;
        if (way <= 5)
            co_return unknown();  // lost on the way back
        if (way == 6)
            co_return vague("internal_error", "");
        if (way == 7)
            co_return vague("settlement_pending", "0xe16d");
        if (way == 8)
            throw std::runtime_error("a fault");
        if (way == 9)
            co_await long_pause();  // longer than its buyer waits
        co_return success();
    }

private:
    // Another one was faster, somebody else's or our own. Whoever only finds out on the chain has a
    // transaction that failed.
    settle_outcome late_for_it(unsigned long way)
    {
        if (way % 2 == 0)
            return settle_refused("invalid_exact_evm_nonce_already_used");
        settle_unknown failed(down(errc::refused));
        failed.transaction = "0xf1";
        failed.failed = true;
        return failed;
    }

    settle_outcome unknown()
    {
        doubtful = true;
        return settle_unknown(down());
    }

    settle_outcome vague(const char* why, const char* transaction)
    {
        doubtful = true;
        settle_unknown out(error(errc::refused, why));
        out.transaction = transaction;
        return out;
    }

    asio::awaitable<void> pause()
    {
        asio::steady_timer timer(context_, std::chrono::microseconds(random_() % 200));
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::awaitable<void> long_pause()
    {
        asio::steady_timer timer(context_, std::chrono::milliseconds(3 + random_() % 3));
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::io_context& context_;
    ledger& chain_;
    std::mt19937& random_;
};

// Shows the ledger, sometimes late or not at all.
class ledger_chain final : public settlement_chain
{
public:
    ledger_chain(ledger& chain, std::mt19937& random) : chain_(chain), random_(random) {}

    bool honest = false;

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, std::uint64_t, milliseconds) override
    {
        if (!honest && random_() % 4 == 0)
            co_return finding(settlement_state::cannot_tell);
        const bool late = !honest && random_() % 4 == 0;
        if (chain_.elsewhere && !late)
        {
            settlement_finding out = finding(settlement_state::settled);
            // A replica that is as fast as this one, or an older buyer's.
            out.mined_at = static_cast<std::uint64_t>(now_seconds - (random_() % 2 == 0 ? 0 : 100));
            co_return out;
        }
        if (chain_.expired && !chain_.moved)
            co_return finding(settlement_state::dead);
        co_return finding(chain_.moved && !late ? settlement_state::settled : settlement_state::open);
    }
    asio::awaitable<result<bool>> has_code(std::string, evm::address, milliseconds) override
    {
        co_return false;
    }

private:
    ledger& chain_;
    std::mt19937& random_;
};

// One payment, many copies, some of which hang up or lose their answers. In the end everybody is honest, and
// the same payment comes once more.
struct story
{
    explicit story(unsigned seed, bool with_chain)
        : random(seed), engine(facilitator, claims, time, limits(), with_chain ? &chain : nullptr)
    {
        money.elsewhere = seed % 7 == 0;
    }

    static gate_limits limits()
    {
        gate_limits out;
        out.settle_least = milliseconds(0);
        return out;
    }

    std::mt19937 random;
    asio::io_context context;
    ledger money;
    unreliable_facilitator facilitator{context, money, random};
    ledger_chain chain{money, random};
    manual_clock time;
    std::shared_ptr<claim_table> claims = std::make_shared<claim_table>();
    gate engine;
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    bool all_read = false;  // every answer is read
    int in_answer = 0;      // grants whose answer is being written
    int delivered = 0;
    int anew = 0;  // invitations after the chain had said that the payment is dead
    int ended = 0;

    asio::awaitable<void> expire(milliseconds after)
    {
        asio::steady_timer timer(context, after);
        co_await timer.async_wait(asio::use_awaitable);
        money.expired = true;
    }

    asio::awaitable<void> buy(milliseconds after, milliseconds patience)
    {
        asio::steady_timer timer(context, after);
        co_await timer.async_wait(asio::use_awaitable);
        claim_binding binding{"demo/hello", "GET", "/services/hello"};
        const verdict made = co_await engine.pay(
            offered, wanted, "u", std::move(binding), std::chrono::steady_clock::now() + patience
        );
        if (const auto* paid = std::get_if<verdict_paid>(&made))
        {
            CHECK(money.moved);
            CHECK(++in_answer == 1);
            CHECK(delivered == 0);
            delivery_guard guard = engine.guard_delivery(*paid);
            timer.expires_after(std::chrono::microseconds(random() % 300));
            co_await timer.async_wait(asio::use_awaitable);
            --in_answer;
            if (all_read || random() % 3 != 0)
            {
                guard.delivered();
                ++delivered;
            }
        }
        // Never an invitation to pay anew once the money has moved, nor while it may have or may yet.
        if (std::holds_alternative<verdict_payment_required>(made))
        {
            CHECK_FALSE(money.moved);
            CHECK((!facilitator.doubtful || money.expired));
            anew += facilitator.doubtful ? 1 : 0;
        }
        ++ended;
    }

    void spawn_copy(milliseconds after, milliseconds patience)
    {
        asio::co_spawn(context, buy(after, patience), [](const std::exception_ptr& failure) {
            CHECK_FALSE(failure);
        });
    }

    void run()
    {
        constexpr int copies = 24;
        for (int i = 0; i < copies; ++i)
            spawn_copy(
                milliseconds(random() % 6), milliseconds(random() % 4 == 0 ? 1 + random() % 2 : 20'000)
            );
        if (random() % 4 == 0)
            asio::co_spawn(context, expire(milliseconds(random() % 6)), asio::detached);
        context.run_for(std::chrono::seconds(10));
        CHECK(ended == copies);
        CHECK(delivered <= 1);
        const claim_counts left = claims->counts();
        CHECK(left.verifying + left.settling + left.granted == 0);
        CHECK(left.undelivered + left.used + left.unknown == claims->size());
        come_again();
    }

    // Who was charged gets an answer in the end; who was not gets none, but for paying now.
    void come_again()
    {
        facilitator.honest = true;
        chain.honest = true;
        all_read = true;
        const bool may_pay_now = !money.expired && !money.elsewhere;
        spawn_copy(milliseconds(0), milliseconds(20'000));
        context.restart();
        context.run_for(std::chrono::seconds(10));
        CHECK(delivered == (money.moved ? 1 : 0));
        CHECK((money.moved || !may_pay_now));
    }
};

}  // namespace

TEST_CASE(
    "whatever fails, who is charged is granted once, and never asked to pay twice", "[x402][gate][random]"
)
{
    int delivered = 0;
    int anew = 0;
    std::uint64_t late = 0;
    std::uint64_t unproven = 0;
    for (unsigned seed = 1; seed <= 200; ++seed)
    {
        INFO("seed " << seed);
        story one(seed, seed % 2 == 0);
        one.run();
        delivered += one.delivered;
        anew += one.anew;
        late += one.engine.counters().settled_late;
        unproven += one.engine.counters().unproven;
        if (one.money.elsewhere)
            CHECK(one.delivered == 0);
    }
    // The stories are about something.
    CHECK(delivered > 100);
    CHECK(anew > 0);
    CHECK(late > 0);
    CHECK(unproven > 0);
}

TEST_CASE("of 64 copies at once one is paid", "[x402][gate]")
{
    fixture f;
    f.facilitator.verifies = {verify_valid()};
    f.facilitator.settles = {success()};
    f.facilitator.hold();
    for (int i = 0; i < 64; ++i)
        f.start();
    CHECK(f.claims->counts().verifying == 1);
    f.facilitator.go();
    f.poll();
    CHECK(f.claims->counts().granted == 1);

    const auto done = [&f] {
        return std::count_if(f.requests.begin(), f.requests.end(), [](const request& each) {
            return each.done;
        });
    };
    REQUIRE(done() == 1);

    // Each lost answer leaves the grant to one of those who wait.
    for (int lost = 1; lost <= 3; ++lost)
    {
        f.engine.undelivered(f.key());
        f.poll();
        REQUIRE(done() == 1 + lost);
    }
    f.engine.delivered(f.key());
    f.poll();
    REQUIRE(done() == 64);
    int paid = 0;
    int again = 0;
    int used = 0;
    for (const request& each : f.requests)
    {
        if (const auto* grant = std::get_if<verdict_paid>(&*each.made))
            ++(grant->again ? again : paid);
        used += std::holds_alternative<verdict_already_used>(*each.made);
    }
    CHECK(paid == 1);
    CHECK(again == 3);
    CHECK(used == 60);
    CHECK(f.facilitator.verified == 1);
    CHECK(f.facilitator.settled == 1);
    CHECK(f.claims->counts().used == 1);
}
