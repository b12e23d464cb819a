#include "x402/purchase.hpp"

#include <portitor/x402/gate.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <list>
#include <optional>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One call of pay(). What it refers to lives until that ends.
struct gate::question
{
    const payment& offered;
    std::shared_ptr<const claim_terms> terms;
    claim_binding binding;
    claim_key key;
    steady_clock::time_point deadline;
    bool only_known = false;  // there is no verdict on a payment that is not (any more)
};

// The purchases under way. It outlives the gate with them, should they be destroyed with their executor.
struct gate::activity
{
    std::list<asio::cancellation_signal> running;
    asio::steady_timer* idle = nullptr;  // of who waits for the end

    void ended(std::list<asio::cancellation_signal>::iterator which)
    {
        running.erase(which);
        if (running.empty() && idle != nullptr)
            idle->cancel();
    }

    void cancel()
    {
        // One may end inside emit() and leave the list, so step on first.
        for (auto at = running.begin(); at != running.end();)
            (at++)->emit(asio::cancellation_type::terminal);
    }
};

delivery_guard& delivery_guard::operator=(delivery_guard&& other) noexcept
{
    // The old content goes with `other`, which reports it at its end.
    std::swap(claims_, other.claims_);
    std::swap(key_, other.key_);
    return *this;
}

delivery_guard::~delivery_guard()
{
    if (claims_)
        claims_->undelivered(key_);
}

void delivery_guard::delivered()
{
    if (const auto claims = std::exchange(claims_, nullptr))
        claims->delivered(key_);
}

gate::gate(
    facilitator_client& facilitator,
    std::shared_ptr<claim_table> claims,
    const clock& time,
    gate_limits limits,
    settlement_chain* chain
)
    : claims_(std::move(claims)), clock_(time), limits_(limits), activity_(std::make_shared<activity>()),
      settler_(std::make_unique<settler>(facilitator, claims_, time, limits, chain, counters_))
{}

gate::~gate() = default;

asio::awaitable<verdict> gate::pay(
    const payment& offered,
    const payment_requirement& wanted,
    std::string facilitator_url,
    claim_binding binding,
    steady_clock::time_point deadline
)
{
    binding.seal(offered);
    claim_terms terms{wanted, std::move(facilitator_url), binding.offer, binding.request_id};
    question asked{
        offered,
        std::make_shared<const claim_terms>(std::move(terms)),
        std::move(binding),
        key_of(offered, wanted),
        std::min(deadline, steady_clock::now() + limits_.total),
    };
    std::optional<verdict> made = co_await pay_apart(std::move(asked));
    co_return *std::move(made);
}

asio::awaitable<std::optional<verdict>> gate::pay_known(
    const payment& offered,
    std::vector<claim_key> keys,
    claim_binding binding,
    steady_clock::time_point deadline
)
{
    binding.seal(offered);
    claim_match found = claim_match::none;
    for (claim_key& each : keys)
    {
        const claim_match here = claims_->look_up(each, binding);
        if (here == claim_match::none)
            continue;
        found = claim_match::other;
        std::shared_ptr<const claim_terms> terms = claims_->terms_of(each);
        // A copy in the other version cannot always be told to a facilitator in that.
        if (here == claim_match::other || (offered.version == 1 && terms && !terms->wanted.offered_in_v1()))
            continue;
        question asked{
            offered,
            std::move(terms),
            std::move(binding),
            std::move(each),
            std::min(deadline, steady_clock::now() + limits_.total),
            true,
        };
        std::optional<verdict> made = co_await pay_apart(std::move(asked));
        co_return made;
    }
    if (found == claim_match::none)
        co_return std::nullopt;
    verdict other = verdict_already_used(std::string());
    count(other);
    co_return other;
}

asio::awaitable<std::optional<verdict>> gate::pay_apart(question asked)
{
    // A coroutine of its own without a cancellation slot: who waits for the verdict may be cancelled, the
    // work not.
    auto executor = co_await asio::this_coro::executor;
    asio::awaitable<std::optional<verdict>> judging = judge(asked);
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    std::optional<verdict> made = co_await asio::co_spawn(executor, std::move(judging), apart);
    if (made)
        count(*made);
    co_return made;
}

asio::awaitable<std::optional<verdict>> gate::judge(const question& asked)
{
    std::string thrown;
    try
    {
        std::optional<verdict> made = co_await wait_or_own(asked);
        co_return made;
    }
    catch (const std::exception& failure)
    {
        thrown = failure.what();
    }
    co_return verdict_unavailable(unavailable_cause::internal, limits_.retry_facilitator, std::move(thrown));
}

asio::awaitable<std::optional<verdict>> gate::wait_or_own(const question& asked)
{
    for (;;)
    {
        // An earlier copy of it was refused meanwhile: it is free, for the terms of today.
        if (asked.only_known && claims_->look_up(asked.key, asked.binding) == claim_match::none)
            co_return std::nullopt;
        claim_answer found =
            claims_->begin(asked.key, asked.binding, asked.offered.valid_before, clock_.now(), asked.terms);
        if (found.step == claim_step::granted_again)
            co_return verdict_paid(asked.key, asked.offered.payer, std::move(found.receipt), true);
        if (found.step == claim_step::used)
            co_return verdict_already_used(std::move(found.receipt));
        if (found.step == claim_step::full)
        {
            ++(found.payer_full ? counters_.payer_full : counters_.table_full);
            co_return verdict_unavailable(
                unavailable_cause::busy,
                limits_.retry_busy,
                found.payer_full ? "the payer has too many payments under way" : "the table of claims is full"
            );
        }
        if (found.step == claim_step::proceed || found.step == claim_step::resolve)
        {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            auto work = std::make_shared<purchase>(executor, asked.offered, asked.key, asked.deadline);
            work->terms = std::move(found.terms);
            work->began = found.began;
            const bool is_new = found.step == claim_step::proceed;
            asio::awaitable<void> owning = own(work, is_new, std::move(found.history));
            const auto at = activity_->running.emplace(activity_->running.end());
            const auto ended = [all = activity_, at](const std::exception_ptr&) { all->ended(at); };
            asio::co_spawn(executor, std::move(owning), asio::bind_cancellation_slot(at->slot(), ended));
            verdict made = co_await wait_for_owner(std::move(work));
            co_return made;
        }

        const claim_wait waited = co_await claims_->changed(asked.key, asked.deadline);
        if (waited == claim_wait::changed)
            continue;
        co_return verdict_unavailable(
            claims_->may_be_settled(asked.key) ? unavailable_cause::settlement_unknown
                                               : unavailable_cause::busy,
            limits_.retry_busy,
            waited == claim_wait::expired ? "an earlier copy of the payment is still at work"
                                          : "too many copies of the payment wait"
        );
    }
}

asio::awaitable<verdict> gate::wait_for_owner(std::shared_ptr<purchase> work)
{
    boost::system::error_code ignored;
    if (!work->made)
        co_await work->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (work->made)
        co_return *std::move(work->made);
    work->alone = true;
    co_return verdict_unavailable(
        work->settling ? unavailable_cause::settlement_unknown : unavailable_cause::facilitator,
        limits_.retry_facilitator,
        work->settling ? "the settlement goes on" : "the facilitator has not answered in time"
    );
}

asio::awaitable<void> gate::own(std::shared_ptr<purchase> work, bool is_new, settle_history history)
{
    std::string thrown;
    try
    {
        if (is_new)
            work->made = co_await settler_->verify_and_settle(*work);
        else
            work->made = co_await settler_->resolve(*work, std::move(history));
    }
    catch (const std::exception& failure)
    {
        thrown = failure.what();
    }
    if (!work->made)
        work->made =
            verdict_unavailable(unavailable_cause::internal, limits_.retry_facilitator, std::move(thrown));
    work->over.cancel();
    if (!work->alone || !std::holds_alternative<verdict_paid>(*work->made))
        co_return;
    ++counters_.settled_late;
    claims_->undelivered(work->key);
}

asio::awaitable<void> gate::finish(steady_clock::time_point deadline)
{
    asio::steady_timer idle(co_await asio::this_coro::executor);
    // However this coroutine ends, destruction with its executor included.
    struct waiting
    {
        std::shared_ptr<activity> on;
        ~waiting() { on->idle = nullptr; }
    } const held{activity_};
    activity_->idle = &idle;
    bool cancelled = false;
    while (!activity_->running.empty())
    {
        if (!cancelled && steady_clock::now() >= deadline)
        {
            cancelled = true;
            activity_->cancel();
            continue;
        }
        idle.expires_at(cancelled ? steady_clock::time_point::max() : deadline);
        boost::system::error_code ignored;
        co_await idle.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

void gate::count(const verdict& made)
{
    if (const auto* paid = std::get_if<verdict_paid>(&made))
        ++(paid->again ? counters_.paid_again : counters_.paid);
    else if (std::holds_alternative<verdict_payment_required>(made))
        ++counters_.payment_required;
    else if (std::holds_alternative<verdict_already_used>(made))
        ++counters_.already_used;
    else if (const auto* unavailable = std::get_if<verdict_unavailable>(&made))
        switch (unavailable->cause)
        {
        case unavailable_cause::busy:
            ++counters_.busy;
            break;
        case unavailable_cause::facilitator:
        case unavailable_cause::facilitator_broken:
            ++counters_.facilitator_unavailable;
            break;
        case unavailable_cause::settlement_unknown:
            ++counters_.settlement_unknown;
            break;
        case unavailable_cause::store:
        case unavailable_cause::internal:
            ++counters_.internal;
            break;
        }
}

}  // namespace portitor::x402
