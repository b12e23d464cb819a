#pragma once

#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/ledger/memory_ledger.hpp>
#include <portitor/x402/payment_engine.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// The engine between a scripted facilitator, a record in memory and, where a test wants one, a scripted
/// chain. Time stands still until a test moves it.
namespace portitor::x402::samples {

namespace asio = boost::asio;
using std::chrono::milliseconds;

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
    std::vector<std::string> urls;
    std::vector<u256> amounts;
    std::vector<facilitator_caller> callers;

    void hold() { hold_.expires_at(std::chrono::steady_clock::time_point::max()); }
    void go() { hold_.expires_at(std::chrono::steady_clock::time_point::min()); }
    // Verifications pass all the same.
    void hold_settlements()
    {
        verify_passes_ = true;
        hold();
    }

    asio::awaitable<verify_outcome> verify(
        std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds timeout
    ) override
    {
        ++verified;
        timeouts.push_back(timeout);
        if (!verify_passes_)
            co_await held();
        co_return next(verifies);
    }

    asio::awaitable<settle_outcome> settle(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller caller,
        milliseconds timeout
    ) override
    {
        ++settled;
        callers.push_back(std::move(caller));
        urls.push_back(std::move(url));
        amounts.push_back(wanted.amount);
        timeouts.push_back(timeout);
        payloads.push_back(offered.text);
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
    bool verify_passes_ = false;
};

// Finds what the script says; once that is empty, the same again.
class scripted_chain final : public settlement_chain
{
public:
    std::deque<settlement_finding> findings;
    std::optional<std::chrono::seconds> confirmed = std::chrono::seconds(0);  // after so long
    int asked = 0;
    std::vector<std::uint64_t> sinces;
    std::vector<milliseconds> timeouts;
    asio::steady_timer* hold = nullptr;  // the next question waits for its end

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, std::uint64_t since, milliseconds timeout) override
    {
        ++asked;
        sinces.push_back(since);
        timeouts.push_back(timeout);
        boost::system::error_code ignored;
        if (asio::steady_timer* held = std::exchange(hold, nullptr))
            co_await held->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        settlement_finding out = findings.at(0);
        if (findings.size() > 1)
            findings.pop_front();
        co_return out;
    }

    std::optional<std::chrono::seconds> confirmation_time(std::string_view) const override
    {
        return confirmed;
    }

    asio::awaitable<result<bool>> has_code(std::string, evm::address, milliseconds) override
    {
        co_return fail(errc::not_found, "no node");
    }
};

inline settlement_finding finding(settlement_state state)
{
    settlement_finding out;
    out.state = state;
    if (state == settlement_state::settled)
        out.transaction = "0xc4a1";
    if (state == settlement_state::cannot_tell)
        out.why = "the node is away";
    return out;
}

inline error down(errc code = errc::timed_out)
{
    return {code, "no answer"};
}

inline settle_outcome success()
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

// A store that fails as a test says.
class faulty_store final : public payment_store
{
public:
    explicit faulty_store(std::unique_ptr<payment_store> inner) : inner_(std::move(inner)) {}

    enum class fault
    {
        none,
        away,         // nothing was done
        answer_lost,  // it was done
        lost,         // it was not, and nobody knows
        fenced,
    };
    std::deque<fault> faults;             // of begin() and advance(), in order
    bool away_for_all = false;            // also for find(); knowledge is kept all the same
    std::vector<std::string> calls;       // what was asked of it
    std::vector<payment_record> settled;  // by the process before
    std::function<void()> before_change;  // somebody else may be faster

    std::uint64_t owner() const override { return inner_->owner(); }

    asio::awaitable<result<begin_outcome>> begin(new_payment what) override
    {
        calls.push_back("begin");
        const fault now = next();
        if (now != fault::none && now != fault::answer_lost)
            co_return failure(now);
        result<begin_outcome> done = co_await inner_->begin(std::move(what));
        if (now == fault::answer_lost)
            co_return failure(now);
        co_return std::move(done);
    }

    asio::awaitable<result<find_outcome>> find(std::vector<payment_key> keys) override
    {
        calls.push_back("find");
        if (away_for_all)
            co_return failure(fault::away);
        result<find_outcome> found = co_await inner_->find(std::move(keys));
        co_return std::move(found);
    }

    asio::awaitable<result<change_outcome>>
    advance(payment_key key, std::uint64_t revision, payment_change change) override
    {
        calls.push_back(change.forget ? "forget" : to_string(change.next));
        if (const auto hook = std::exchange(before_change, nullptr))
            hook();
        const fault now = away_for_all && change.knowledge ? fault::none : next();
        if (now != fault::none && now != fault::answer_lost)
            co_return failure(now);
        result<change_outcome> done = co_await inner_->advance(std::move(key), revision, std::move(change));
        if (now == fault::answer_lost)
            co_return failure(now);
        co_return std::move(done);
    }

    asio::awaitable<result<record_wait>>
    changed(payment_key key, std::uint64_t revision, timekeeper::time_point deadline) override
    {
        return inner_->changed(std::move(key), revision, deadline);
    }
    asio::awaitable<result<std::vector<payment_record>>> neglected(std::size_t most) override
    {
        return inner_->neglected(most);
    }
    asio::awaitable<result<std::vector<payment_record>>> open(std::size_t most) override
    {
        return inner_->open(most);
    }
    asio::awaitable<result<std::vector<payment_record>>> settled_before(std::size_t) override
    {
        if (away_for_all)
            co_return failure(fault::away);
        co_return std::exchange(settled, {});
    }
    asio::awaitable<result<void>> sweep() override { return inner_->sweep(); }
    asio::awaitable<void> leave() override { return inner_->leave(); }
    store_numbers numbers() const override { return inner_->numbers(); }
    std::optional<std::string> away() const override { return inner_->away(); }

private:
    fault next()
    {
        if (away_for_all)
            return fault::away;
        if (faults.empty())
            return fault::none;
        const fault out = faults.front();
        faults.pop_front();
        return out;
    }

    static error failure(fault what)
    {
        if (what == fault::away)
            return fail(errc::unavailable, "the record is away");
        if (what == fault::fenced)
            return fail(errc::canceled, "this process was taken for dead");
        return fail(errc::timed_out, "no answer of the record");
    }

    std::unique_ptr<payment_store> inner_;
};

struct fixture
{
    manual_clock time;
    portitor::test::manual_timekeeper timers;
    asio::io_context context;
    scripted_facilitator facilitator{context};
    scripted_chain chain;
    ledger::limits bounds;
    std::unique_ptr<ledger::memory_ledger> book;
    std::unique_ptr<faulty_store> store;
    engine_limits limits;
    bool with_chain = false;
    std::vector<std::string> told;               // to the log
    std::optional<payment_record> told_last_of;  // the payment of the last one
    std::unique_ptr<payment_engine> made_engine;
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    std::optional<refusal> mismatch;
    std::string offer = "demo/hello";
    payment_binding binding{"uid-1", "GET", "/services/hello"};
    milliseconds deadline{20'000};
    std::list<request> requests;
    std::list<verdict> kept;

    faulty_store& record()
    {
        if (!book)
            book = std::make_unique<ledger::memory_ledger>(time, timers, bounds);
        if (!store)
            store = std::make_unique<faulty_store>(book->open());
        return *store;
    }

    payment_engine& engine()
    {
        if (!made_engine)
            made_engine = std::make_unique<payment_engine>(
                payment_engine::parts{
                    context.get_executor(),
                    facilitator,
                    record(),
                    time,
                    timers,
                    with_chain ? &chain : nullptr,
                    {},
                    [this](const payment_report& what) {
                        told.push_back(text_of(what));
                        told_last_of = what.record;
                    },
                },
                limits
            );
        return *made_engine;
    }

    static std::string text_of(const payment_report& what)
    {
        using event = payment_report::event;
        static const std::map<event, std::string> names{
            {event::delivered, "delivered"},
            {event::undelivered, "undelivered"},
            {event::interrupted, "interrupted"},
            {event::expired, "expired"},
            {event::reorganised, "reorganised"},
            {event::left, "left"},
        };
        return names.at(what.what) + (what.record.terms ? " " + what.record.terms->offer : "");
    }

    void poll()
    {
        context.restart();
        context.poll();
    }

    void pass(milliseconds by)
    {
        time.time += by;
        timers.advance(by);
        poll();
    }

    payment_request asked()
    {
        payment_request out;
        out.offered = offered;
        out.wanted = wanted;
        out.mismatch = mismatch;
        out.keys = mismatch ? keys_of(offered, networks()) : std::vector{key()};
        out.facilitator_url = "https://f.test";
        out.offer = offer;
        out.offer_uid = binding.offer_uid;
        out.method = binding.method;
        out.uri = binding.uri;
        out.deadline = timers.now() + deadline;
        return out;
    }

    request& start(asio::awaitable<verdict> paying)
    {
        request& one = requests.emplace_back();
        asio::co_spawn(
            context,
            std::move(paying),
            asio::bind_cancellation_slot(
                one.signal.slot(),
                [&one](std::exception_ptr failure, verdict made) {
                    one.done = true;
                    one.failure = failure;
                    if (!failure)
                        one.made.emplace(std::move(made));
                }
            )
        );
        poll();
        return one;
    }
    request& start() { return start(engine().pay(asked())); }

    verdict pay() { return await(start()); }

    verdict await(request& one)
    {
        poll();
        REQUIRE(one.done);
        REQUIRE_FALSE(one.failure);
        REQUIRE(one.made);
        return *std::exchange(one.made, std::nullopt);
    }

    // Writes the answer, or loses it.
    void deliver(verdict& made)
    {
        std::get<verdict_paid>(made).answer.delivered();
        poll();
    }
    void lose(verdict& made)
    {
        std::get<verdict_paid>(made).answer = delivery();
        poll();
    }

    // Nothing where the payment is not on record.
    std::optional<payment_state> state()
    {
        const auto found = portitor::test::run(context, record().find({key()}));
        REQUIRE(found.has_value());
        if (const auto* known = std::get_if<record_found>(&*found))
            return known->record.state;
        if (const auto* spent = std::get_if<record_spent>(&*found))
            return spent->state;
        return std::nullopt;
    }
    payment_record known()
    {
        const auto found = portitor::test::run(context, record().find({key()}));
        return std::get<record_found>(found.value()).record;
    }
    // Lets the owner's work go on for so long.
    void keep(int seconds)
    {
        asio::cancellation_signal stop;
        bool ended = false;
        asio::co_spawn(
            context,
            engine().run(),
            asio::bind_cancellation_slot(stop.slot(), [&ended](const std::exception_ptr&) { ended = true; })
        );
        poll();
        for (int i = 0; i < seconds; ++i)
            pass(milliseconds(1'000));
        stop.emit(asio::cancellation_type::terminal);
        poll();
        CHECK(ended);
    }

    payment_key key() const { return key_of(offered, wanted); }
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

inline unavailable_cause expect_unavailable(const verdict& made)
{
    const auto& unavailable = expect<verdict_unavailable>(made);
    CHECK(unavailable.retry_after > std::chrono::seconds(0));
    return unavailable.cause;
}

}  // namespace portitor::x402::samples
