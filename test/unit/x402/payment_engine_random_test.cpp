#include "engine_world.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace {

// What the chain holds: a payment moves its money once, whoever asks and whatever answer is lost on the way.
struct money
{
    bool moved = false;      // by a settlement that was asked for here
    bool elsewhere = false;  // by somebody else, before it came here
    bool canceled = false;   // by its payer
    bool expired = false;    // from now on it moves no more
    bool hidden = false;     // a reorganisation has it in no block for a while
    bool nonce_used() const { return moved || elsewhere || canceled; }
};

// All that happens by chance, and whether it still may.
struct chance
{
    explicit chance(unsigned seed) : random(seed) {}

    std::mt19937 random;
    bool trouble = true;

    unsigned upto(unsigned most) { return static_cast<unsigned>(random() % most); }
    bool one_in(unsigned many) { return trouble && upto(many) == 0; }
};

// Settles, and lies about it in every way that a facilitator and a network can.
class unreliable_facilitator final : public facilitator_client
{
public:
    unreliable_facilitator(timekeeper& timers, money& chain, chance& luck)
        : timers_(timers), chain_(chain), luck_(luck)
    {}

    int under_way = 0;

    asio::awaitable<verify_outcome>
    verify(std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds) override
    {
        co_await pause(200);
        if (luck_.one_in(8))
            co_return verify_unavailable(down());
        if (luck_.one_in(8))
            co_return verify_invalid("insufficient_funds");
        // Some look at the nonce only when they settle.
        if (chain_.nonce_used() && !luck_.one_in(3))
            co_return verify_invalid("invalid_exact_evm_nonce_already_used");
        if (chain_.expired)
            co_return verify_invalid("invalid_exact_evm_payload_authorization_valid_before");
        co_return verify_valid();
    }

    asio::awaitable<settle_outcome>
    settle(std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds) override
    {
        ++under_way;
        settle_outcome out = co_await settled();
        --under_way;
        co_return out;
    }

private:
    asio::awaitable<settle_outcome> settled()
    {
        co_await pause(400);
        if (luck_.one_in(10))
            co_return settle_not_sent(down(errc::unavailable));
        if (luck_.one_in(4))
            co_return unknown();  // lost on the way there
        if (chain_.elsewhere || chain_.canceled || chain_.moved)
            co_return late_for_it();
        if (luck_.one_in(10))
            co_return settle_refused("insufficient_funds");
        if (chain_.expired)
            co_return settle_refused("invalid_exact_evm_payload_authorization_valid_before");
        chain_.moved = true;
        switch (luck_.trouble ? luck_.upto(8) : 7)
        {
        case 0:
        case 1:
            co_return unknown();  // lost on the way back
        case 2:
            co_return vague("internal_error", "");
        case 3:
            co_return vague("settlement_pending", "0xe16d");
        case 4:
            co_await pause(30'000);  // longer than its buyer waits
            co_return success();
        default:
            co_return success();
        }
    }

    // Another one was faster, somebody else's or our own. Whoever only finds out on the chain has a
    // transaction that failed.
    settle_outcome late_for_it()
    {
        if (!luck_.one_in(2))
            return settle_refused("invalid_exact_evm_nonce_already_used");
        settle_unknown failed(down(errc::refused));
        failed.transaction = "0xf1";
        failed.failed = true;
        return failed;
    }

    settle_outcome unknown() { return settle_unknown(down()); }

    settle_outcome vague(const char* why, const char* transaction)
    {
        settle_unknown out(error(errc::refused, why));
        out.transaction = transaction;
        return out;
    }

    asio::awaitable<void> pause(unsigned most)
    {
        return timers_.sleep_for(milliseconds(luck_.trouble ? luck_.upto(most) : 0));
    }

    timekeeper& timers_;
    money& chain_;
    chance& luck_;
};

// Shows the money, sometimes late or not at all.
class money_chain final : public settlement_chain
{
public:
    money_chain(money& chain, chance& luck) : chain_(chain), luck_(luck) {}

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, std::uint64_t since, milliseconds) override
    {
        if (luck_.one_in(4))
            co_return finding(settlement_state::cannot_tell);
        const bool late = luck_.one_in(4) || chain_.hidden;
        if (chain_.elsewhere && !late)
        {
            settlement_finding out = finding(settlement_state::settled);
            out.mined_at = since - 100;
            co_return out;
        }
        if (chain_.canceled && !late)
            co_return finding(settlement_state::canceled);
        if (chain_.moved && !late)
            co_return finding(settlement_state::settled);
        co_return finding(
            chain_.expired && !chain_.nonce_used() ? settlement_state::dead : settlement_state::open
        );
    }
    asio::awaitable<result<bool>> has_code(std::string, evm::address, milliseconds) override
    {
        co_return false;
    }

private:
    money& chain_;
    chance& luck_;
};

// A process dies at any moment: from then on nothing that it does has an effect, and nothing answers it. Or
// it only stalls, for long enough to be taken for dead.
class mortal
{
public:
    mortal(asio::io_context& context, timekeeper& timers, chance& luck)
        : never_(context), timers_(timers), luck_(luck)
    {
        never_.expires_at(asio::steady_timer::time_point::max());
    }

    bool dead = false;
    bool stalled = false;  // it was
    std::function<void()> died;

    asio::awaitable<void> step()
    {
        if (!dead && luck_.one_in(60))
        {
            dead = true;
            died();
        }
        if (luck_.one_in(3))
            co_await timers_.sleep_for(milliseconds(luck_.upto(60)));
        if (luck_.one_in(150))
        {
            stalled = true;
            co_await timers_.sleep_for(milliseconds(8'000 + luck_.upto(6'000)));
        }
        while (dead)
            co_await never_.async_wait(asio::use_awaitable);
    }

private:
    asio::steady_timer never_;
    timekeeper& timers_;
    chance& luck_;
};

class mortal_store final : public payment_store
{
public:
    mortal_store(
        std::unique_ptr<payment_store> inner,
        mortal& life,
        chance& luck,
        const bool& away,
        std::function<void()> said_free
    )
        : inner_(std::move(inner)), life_(life), luck_(luck), away_(away), said_free_(std::move(said_free))
    {}

    int delivered = 0;    // on record
    int interrupted = 0;  // likewise

    std::uint64_t owner() const override { return inner_->owner(); }

    asio::awaitable<result<begin_outcome>> begin(new_payment what) override
    {
        co_await life_.step();
        if (away_)
            co_return gone();
        if (luck_.one_in(30))
            co_return lost();
        result<begin_outcome> done = co_await inner_->begin(std::move(what));
        co_await life_.step();
        if (luck_.one_in(30))
            co_return lost();
        co_return std::move(done);
    }

    asio::awaitable<result<find_outcome>> find(std::vector<payment_key> keys) override
    {
        co_await life_.step();
        if (away_)
            co_return gone();
        result<find_outcome> found = co_await inner_->find(std::move(keys));
        if (found.has_value() && std::holds_alternative<std::monostate>(*found))
            said_free_();
        co_return std::move(found);
    }

    asio::awaitable<result<change_outcome>>
    advance(payment_key key, std::uint64_t revision, payment_change change) override
    {
        const bool is_delivered = !change.forget && change.next == payment_state::delivered;
        co_await life_.step();
        const bool knowledge = change.knowledge;
        const bool forgets = change.forget;
        const bool interrupts = change.interrupted.value_or(false);
        if (away_ && !knowledge)
            co_return gone();
        if (luck_.one_in(30))
            co_return lost();
        result<change_outcome> done = co_await inner_->advance(std::move(key), revision, std::move(change));
        delivered += is_delivered && done.has_value() && std::holds_alternative<change_made>(*done);
        interrupted += interrupts && done.has_value() && std::holds_alternative<change_made>(*done);
        if (forgets && done.has_value() && is_gone(*done))
            said_free_();
        co_await life_.step();
        if (luck_.one_in(30))
            co_return lost();
        co_return std::move(done);
    }

    asio::awaitable<result<record_wait>>
    changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline) override
    {
        return inner_->changed(std::move(key), revision, deadline);
    }
    asio::awaitable<result<std::vector<payment_record>>> neglected(std::size_t most) override
    {
        co_await life_.step();
        if (away_)
            co_return gone();
        result<std::vector<payment_record>> out = co_await inner_->neglected(most);
        co_return std::move(out);
    }
    asio::awaitable<result<std::vector<payment_record>>> open(std::size_t most) override
    {
        return inner_->open(most);
    }
    asio::awaitable<result<std::vector<payment_record>>> settled_before(std::size_t most) override
    {
        return inner_->settled_before(most);
    }
    asio::awaitable<result<void>> sweep() override
    {
        co_await life_.step();
        result<void> out = co_await inner_->sweep();
        co_return std::move(out);
    }
    asio::awaitable<void> leave() override { return inner_->leave(); }
    store_numbers numbers() const override { return inner_->numbers(); }
    std::optional<std::string> away() const override { return std::nullopt; }

private:
    static bool is_gone(const change_outcome& after)
    {
        const auto* other = std::get_if<change_lost>(&after);
        return other == nullptr || std::holds_alternative<std::monostate>(other->now);
    }
    static error lost() { return fail(errc::timed_out, "no answer of the record"); }
    static error gone() { return fail(errc::unavailable, "the record is away"); }

    std::unique_ptr<payment_store> inner_;
    mortal& life_;
    chance& luck_;
    const bool& away_;
    std::function<void()> said_free_;  // the payment is not on record
};

// One process.
struct owner
{
    owner(
        asio::io_context& context,
        ledger::memory_ledger& book,
        facilitator_client& facilitator,
        settlement_chain* chain,
        const portitor::clock& time,
        timekeeper& timers,
        chance& luck,
        const bool& away,
        const std::function<bool()>& untouched
    )
        : life(context, timers, luck), store(
                                           book.open(),
                                           life,
                                           luck,
                                           away,
                                           [this, &timers, untouched] {
                                               if (untouched())
                                                   free_at = timers.now();
                                           }
                                       ),
          engine({context.get_executor(), facilitator, store, time, timers, chain})
    {}
    mortal life;
    mortal_store store;
    payment_engine engine;
    // When the record last said of a payment whose money had not moved that nothing is known of it.
    timekeeper::time_point free_at = timekeeper::time_point::min();
    bool fenced = false;
    int grants = 0;  // answers that were read whole
};

// One payment, many copies at several processes, some of which hang up or lose their answers; processes die
// and others start. In the end everybody is honest, and the same payment comes until it has an answer.
struct story
{
    story(unsigned seed, bool with_chain) : luck(seed), chained(with_chain)
    {
        state.elsewhere = seed % 7 == 0;
        offered.valid_before = u256(static_cast<std::uint64_t>(now_seconds) + 3'000);
        start_owner();
        start_owner();
    }

    manual_clock time;
    portitor::test::manual_timekeeper timers;
    asio::io_context context;
    chance luck;
    bool chained;
    money state;
    bool away = false;
    ledger::memory_ledger book{time, timers};
    unreliable_facilitator facilitator{timers, state, luck};
    money_chain chain{state, luck};
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    std::list<owner> owners;
    int deaths = 0;
    int in_answer = 0;
    int grants = 0;  // answers that were read whole
    int kills = 0;   // of these: the process died, or was taken for dead, before that was on record
    int ended = 0;
    int unserved = 0;

    void start_owner()
    {
        owner& one = owners.emplace_back(
            context,
            book,
            facilitator,
            chained ? &chain : nullptr,
            time,
            timers,
            luck,
            away,
            [this] { return !state.moved && (facilitator.under_way == 0 || state.expired); }
        );
        one.life.died = [this] {
            ++deaths;
            spawn(replace(milliseconds(500 + luck.upto(3'000))));
        };
        asio::co_spawn(context, one.engine.run(), [&one](const std::exception_ptr&) { one.fenced = true; });
    }

    asio::awaitable<void> replace(milliseconds after)
    {
        co_await timers.sleep_for(after);
        start_owner();
    }

    owner& any_owner()
    {
        // Whoever was taken for dead restarts.
        std::vector<owner*> alive;
        for (owner& each : owners)
            if (!each.life.dead && !each.fenced)
                alive.push_back(&each);
        if (alive.empty())
        {
            start_owner();
            return owners.back();
        }
        return *alive[luck.upto(static_cast<unsigned>(alive.size()))];
    }

    void spawn(asio::awaitable<void> task)
    {
        asio::co_spawn(context, std::move(task), [](const std::exception_ptr& failure) {
            CHECK_FALSE(failure);
        });
    }

    asio::awaitable<void> happen(milliseconds after, bool& what, milliseconds lasts)
    {
        co_await timers.sleep_for(after);
        if (&what == &state.canceled && state.nonce_used())
            co_return;
        what = true;
        if (lasts.count() == 0)
            co_return;
        co_await timers.sleep_for(lasts);
        what = false;
    }

    asio::awaitable<void> buy(milliseconds after, milliseconds patience)
    {
        co_await timers.sleep_for(after);
        owner& at = any_owner();
        const auto came_at = timers.now();
        payment_request asked;
        asked.offered = offered;
        asked.wanted = wanted;
        asked.keys = {key_of(offered, wanted)};
        const bool fits = !luck.one_in(6);
        if (!fits)
            asked.mismatch = refusal{"invalid_payment_requirements", "the price has changed"};
        asked.facilitator_url = "u";
        asked.offer = "demo/hello";
        asked.offer_uid = "uid-1";
        asked.method = "GET";
        asked.uri = "/services/hello";
        asked.deadline = timers.now() + patience;
        const bool in_steps = luck.trouble && luck.upto(3) == 0;
        if (!in_steps)
        {
            verdict made = co_await at.engine.pay(std::move(asked));
            co_await judge(at, std::move(made), came_at);
        }
        else if (auto made = co_await pay_in_steps(at, std::move(asked)))
        {
            co_await judge(at, std::move(*made), came_at);
        }
        ++ended;
    }

    // As a front does that charges when it sees its upstream's answer, and not where there is none.
    asio::awaitable<std::optional<verdict>> pay_in_steps(owner& at, payment_request asked)
    {
        const auto deadline = asked.deadline;
        reserve_outcome begun = co_await at.engine.reserve(std::move(asked));
        if (auto* made = std::get_if<verdict>(&begun))
            co_return std::move(*made);
        co_await timers.sleep_for(milliseconds(luck.upto(500)));
        if (luck.one_in(5))
        {
            ++unserved;
            co_return std::nullopt;
        }
        verdict made = co_await at.engine.settle(std::move(std::get<reservation>(begun)), deadline);
        co_return std::move(made);
    }

    asio::awaitable<void> judge(owner& at, verdict made, timekeeper::time_point came_at)
    {
        if (std::holds_alternative<verdict_paid>(made))
            co_await read(at, std::get<verdict_paid>(made));
        // Never an invitation to pay anew once the money has moved, nor while it may yet: as of some moment
        // since it came, as who said so may have stalled after that.
        if (std::holds_alternative<verdict_payment_required>(made))
            CHECK(at.free_at >= came_at);
    }

    asio::awaitable<void> read(owner& at, verdict_paid& paid)
    {
        if (at.life.dead)
            co_return;
        const bool alone = ++in_answer == 1;
        const bool stalls =
            std::any_of(owners.begin(), owners.end(), [](const owner& each) { return each.life.stalled; });
        CHECK((alone || stalls));
        for (int i = 0; i < 3 && !at.life.dead; ++i)
            co_await timers.sleep_for(milliseconds(luck.upto(300)));
        --in_answer;
        const bool whole = !luck.one_in(3);
        grants += whole;
        at.grants += whole;
        if (at.life.dead)
            co_return;
        if (whole)
            paid.answer.delivered();
        else
            paid.answer = delivery();
    }

    // Time goes on from one thing that waits for it to the next.
    void pass(milliseconds all)
    {
        const auto until = timers.now() + all;
        for (;;)
        {
            context.restart();
            context.poll();
            const auto next = timers.next_expiry();
            if (next > until)
                break;
            const auto by = std::max(
                milliseconds(1),
                std::chrono::duration_cast<milliseconds>(next - timers.now()) + milliseconds(1)
            );
            time.time += by;
            timers.advance(by);
        }
    }

    void run()
    {
        constexpr int copies = 16;
        for (int i = 0; i < copies; ++i)
            spawn(buy(milliseconds(luck.upto(30'000)), milliseconds(luck.one_in(4) ? 1'500 : 20'000)));
        if (luck.one_in(3))
            spawn(happen(milliseconds(luck.upto(5'000)), state.expired, milliseconds(0)));
        if (luck.one_in(6))
            spawn(happen(milliseconds(luck.upto(20'000)), state.canceled, milliseconds(0)));
        if (luck.one_in(4))
            spawn(happen(milliseconds(luck.upto(20'000)), state.hidden, milliseconds(luck.upto(9'000) + 1)));
        if (luck.one_in(4))
            spawn(happen(milliseconds(luck.upto(20'000)), away, milliseconds(luck.upto(6'000) + 1)));
        pass(milliseconds(70'000));
        CHECK(ended == copies);
        come_again(copies);
    }

    // Who was charged gets an answer in the end; who was not gets none, but for paying now.
    void come_again(int before)
    {
        luck.trouble = false;
        away = false;
        state.hidden = false;
        pass(milliseconds(150'000));
        const bool may_pay_now = !state.expired && !state.elsewhere && !state.canceled;
        for (int i = 0; i < 3; ++i)
        {
            spawn(buy(milliseconds(0), milliseconds(20'000)));
            pass(milliseconds(25'000));
        }
        CHECK(ended == before + 3);
        std::uint64_t unproven = 0;
        int interrupted = 0;
        for (const owner& each : owners)
        {
            const int missing = each.grants - each.store.delivered;
            CHECK((missing == 0 || each.life.dead || each.life.stalled));
            kills += missing;
            unproven += each.engine.counters().unproven;
            interrupted += each.store.interrupted;
        }
        INFO(
            "grants " << grants << ", kills " << kills << ", unproven " << unproven << ", deaths " << deaths
        );
        CHECK(grants <= 1 + kills);
        // The book marks whoever may have had two.
        CHECK(grants - 1 <= interrupted);
        if (deaths == 0 && kills == 0 && state.moved)
            CHECK(grants == 1);
        if (state.moved)
            CHECK(grants >= 1);
        else if (unproven == 0)
            CHECK(grants == 0);
        CHECK((state.moved || !may_pay_now));
    }
};

}  // namespace

TEST_CASE(
    "whatever fails and whoever dies, who is charged is granted once, and never asked to pay twice",
    "[x402][engine][random]"
)
{
    int grants = 0;
    int deaths = 0;
    int kills = 0;
    int unserved = 0;
    std::uint64_t late = 0;
    std::uint64_t unproven = 0;
    std::uint64_t races = 0;
    std::uint64_t away = 0;
    std::uint64_t over = 0;  // as the chain says
    // PORTITOR_PAYMENT_SEEDS=N plays so many stories.
    const char* more = std::getenv("PORTITOR_PAYMENT_SEEDS");
    const unsigned last = more != nullptr ? static_cast<unsigned>(std::strtoul(more, nullptr, 10)) : 1'000;
    for (unsigned seed = 1; seed <= last; ++seed)
    {
        INFO("seed " << seed);
        story one(seed, seed % 2 == 0);
        one.run();
        grants += one.grants;
        deaths += one.deaths;
        kills += one.kills;
        unserved += one.unserved;
        for (const owner& each : one.owners)
        {
            late += each.engine.counters().settled_late;
            unproven += each.engine.counters().unproven;
            races += each.engine.counters().lost_races;
            over += each.engine.counters().chain_over;
            away += each.engine.counters().store_away;
        }
    }
    // The stories are about something.
    CHECK(grants > 150);
    CHECK(deaths > 100);
    CHECK(kills > 0);
    CHECK(unserved > 0);
    CHECK(late > 0);
    CHECK(unproven > 0);
    CHECK(races > 0);
    CHECK(away > 0);
    CHECK(over > 0);
}
