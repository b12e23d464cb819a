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
    bool moved = false;
    bool expired = false;  // from now on it moves no more
};

// Settles on the ledger, and lies about it in every way that a facilitator and a network can.
class unreliable_facilitator final : public facilitator_client
{
public:
    unreliable_facilitator(asio::io_context& context, ledger& chain, std::mt19937& random)
        : context_(context), chain_(chain), random_(random)
    {}

    bool doubtful = false;  // some settlement ended as unknown
    int settled = 0;

    asio::awaitable<verify_outcome>
    verify(std::string, const payment&, const payment_requirement&, milliseconds) override
    {
        co_await pause();
        switch (random_() % 6)
        {
        case 0:
            co_return verify_unavailable(down());
        case 1:
            co_return verify_invalid("insufficient_funds");
        default:
            if (chain_.moved)
                co_return verify_invalid("invalid_exact_evm_nonce_already_used");
            co_return verify_valid();
        }
    }

    asio::awaitable<settle_outcome>
    settle(std::string, const payment&, const payment_requirement&, milliseconds) override
    {
        ++settled;
        co_await pause();
        const auto way = random_() % 8;
        if (way == 0)
            co_return settle_not_sent(down(errc::unavailable));
        if (way == 1)
            co_return settle_refused("insufficient_funds");
        if (way == 2)
            co_return unknown();  // lost on the way there
        if (chain_.moved)
            co_return settle_refused("invalid_exact_evm_nonce_already_used");
        if (chain_.expired)
            co_return settle_refused("invalid_exact_evm_payload_authorization_valid_before");
        chain_.moved = true;
        if (way <= 4)
            co_return unknown();  // lost on the way back
        if (way == 5)
            throw std::runtime_error("a fault");
        co_return success();
    }

private:
    settle_outcome unknown()
    {
        doubtful = true;
        return settle_unknown(down());
    }

    asio::awaitable<void> pause()
    {
        asio::steady_timer timer(context_, std::chrono::microseconds(random_() % 200));
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

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, milliseconds) override
    {
        if (random_() % 4 == 0)
            co_return finding(settlement_state::cannot_tell);
        if (chain_.expired && !chain_.moved)
            co_return finding(settlement_state::dead);
        co_return finding(
            chain_.moved && random_() % 4 != 0 ? settlement_state::settled : settlement_state::open
        );
    }
    asio::awaitable<result<bool>> has_code(std::string, evm::address, milliseconds) override
    {
        co_return false;
    }

private:
    ledger& chain_;
    std::mt19937& random_;
};

// One payment, many copies, some of which hang up or lose their answers.
struct story
{
    explicit story(unsigned seed, bool with_chain)
        : random(seed), engine(facilitator, claims, time, {}, with_chain ? &chain : nullptr)
    {}

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
    int in_answer = 0;  // grants whose answer is being written
    int delivered = 0;
    int anew = 0;  // invitations after the chain had said that the payment is dead
    int ended = 0;

    asio::awaitable<void> expire(milliseconds after)
    {
        asio::steady_timer timer(context, after);
        co_await timer.async_wait(asio::use_awaitable);
        money.expired = true;
    }

    asio::awaitable<void> buy(milliseconds after)
    {
        asio::steady_timer timer(context, after);
        co_await timer.async_wait(asio::use_awaitable);
        claim_binding binding{"demo/hello", "GET", "/services/hello"};
        const verdict made = co_await engine.pay(
            offered,
            wanted,
            "u",
            std::move(binding),
            std::chrono::steady_clock::now() + std::chrono::seconds(20)
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
            if (random() % 3 != 0)
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

    void run()
    {
        constexpr int copies = 24;
        for (int i = 0; i < copies; ++i)
            asio::co_spawn(context, buy(milliseconds(random() % 6)), [](const std::exception_ptr& failure) {
                CHECK_FALSE(failure);
            });
        if (random() % 4 == 0)
            asio::co_spawn(context, expire(milliseconds(random() % 6)), asio::detached);
        context.run_for(std::chrono::seconds(10));
        CHECK(ended == copies);
        CHECK(delivered <= 1);
        const claim_counts left = claims->counts();
        CHECK(left.verifying + left.settling + left.granted == 0);
        CHECK(left.undelivered + left.used + left.unknown == claims->size());
    }
};

}  // namespace

TEST_CASE("whatever fails, a payment is granted once and never asked for twice", "[x402][gate][random]")
{
    int delivered = 0;
    int anew = 0;
    for (unsigned seed = 1; seed <= 150; ++seed)
    {
        INFO("seed " << seed);
        story one(seed, seed % 2 == 0);
        one.run();
        delivered += one.delivered;
        anew += one.anew;
    }
    // The stories are about something.
    CHECK(delivered > 50);
    CHECK(anew > 0);
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
