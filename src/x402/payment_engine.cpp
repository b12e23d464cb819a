#include "x402/engine_core.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/deadline.hpp>
#include <portitor/x402/retry.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace portitor::x402 {

namespace asio = boost::asio;

reservation& reservation::operator=(reservation&& other) noexcept
{
    // The old one goes with `other`.
    std::swap(work_, other.work_);
    return *this;
}

reservation::~reservation()
{
    if (work_)
        work_->core->drop(work_);
}

engine_core::engine_core(payment_engine::parts with, engine_limits bounds)
    : on(std::move(with)), limits(std::move(bounds)), tasks_(on.executor, on.log),
      unproven_(limits.unproven_of_payer)
{}

asio::awaitable<void> engine_core::serve(work_ptr work, bool resume)
{
    work->done = false;
    tasks_.spawn("payment", work_on(work, resume));
    if (work->done)
        co_return;
    const std::unique_ptr<timer> waiting = on.timers.make_timer(co_await asio::this_coro::executor);
    // However this coroutine ends, destruction with its executor included.
    struct buyer
    {
        payment_work& of;
        ~buyer()
        {
            of.waiting = nullptr;
            of.alone = !of.done;
        }
    } const here{*work};
    waiting->expires_at(work->deadline);
    work->waiting = waiting.get();
    co_await waiting->wait();
}

asio::awaitable<void> engine_core::finish(timekeeper::time_point deadline)
{
    const auto held = shared_from_this();
    const auto ended = [](task_group& tasks) -> asio::awaitable<bool> {
        co_await tasks.join();
        co_return true;
    };
    const std::optional<bool> all = co_await unless(on.timers.sleep_until(deadline), ended(tasks_));
    if (!all)
    {
        tasks_.cancel();
        co_await tasks_.join();
    }
    co_await report_left();
    co_await on.store.leave();
}

void engine_core::count(const verdict& made)
{
    if (const auto* paid = std::get_if<verdict_paid>(&made))
        ++(paid->again ? counters.paid_again : counters.paid);
    else if (std::holds_alternative<verdict_payment_required>(made))
        ++counters.payment_required;
    else if (std::holds_alternative<verdict_already_used>(made))
        ++counters.already_used;
    else if (const auto* unavailable = std::get_if<verdict_unavailable>(&made))
        switch (unavailable->cause)
        {
        case unavailable_cause::busy:
            ++counters.busy;
            break;
        case unavailable_cause::facilitator:
        case unavailable_cause::facilitator_broken:
            ++counters.facilitator_unavailable;
            break;
        case unavailable_cause::settlement_unknown:
            ++counters.settlement_unknown;
            break;
        case unavailable_cause::store:
            ++counters.store_away;
            break;
        case unavailable_cause::internal:
            ++counters.internal;
            break;
        }
}

namespace {

const char* text_of_late(unavailable_cause late)
{
    switch (late)
    {
    case unavailable_cause::settlement_unknown:
        return "the settlement goes on";
    case unavailable_cause::facilitator:
        return "the facilitator has not answered in time";
    case unavailable_cause::store:
        return "the record of payments has not answered in time";
    default:
        return "the payment could not be judged in time";
    }
}

}  // namespace

verdict engine_core::verdict_for(payment_work& work)
{
    verdict out;
    if (work.made)
        out = *std::exchange(work.made, std::nullopt);
    else
        out = verdict_unavailable(work.late, limits.retry_facilitator, text_of_late(work.late));
    if (auto* later = std::get_if<verdict_unavailable>(&out))
        later->retry_after =
            retry_for(later->retry_after, work.asked.offered.valid_before, unix_seconds(on.time.now()));
    count(out);
    return out;
}

payment_engine::payment_engine(parts with, engine_limits limits)
    : store_(with.store), core_(std::make_shared<engine_core>(std::move(with), std::move(limits)))
{}

payment_engine::~payment_engine()
{
    core_->close();
}

asio::awaitable<verdict> payment_engine::pay(payment_request asked)
{
    const timekeeper::time_point latest = core_->on.timers.now() + core_->limits.total;
    asked.deadline = std::min(asked.deadline, latest);
    const auto work = std::make_shared<payment_work>(core_, std::move(asked));
    co_await core_->serve(work, false);
    co_return core_->verdict_for(*work);
}

asio::awaitable<reserve_outcome> payment_engine::reserve(payment_request asked)
{
    const timekeeper::time_point latest = core_->on.timers.now() + core_->limits.total;
    asked.deadline = std::min(asked.deadline, latest);
    auto work = std::make_shared<payment_work>(core_, std::move(asked));
    work->hold = true;
    co_await core_->serve(work, false);
    if (work->done && work->held)
        co_return reservation(std::move(work));
    co_return core_->verdict_for(*work);
}

asio::awaitable<verdict> payment_engine::settle(reservation held, timekeeper::time_point deadline)
{
    const auto work = std::exchange(held.work_, nullptr);
    work->deadline = std::min(deadline, core_->on.timers.now() + core_->limits.total);
    co_await core_->serve(work, true);
    co_return core_->verdict_for(*work);
}

asio::awaitable<void> payment_engine::run()
{
    return core_->run();
}

asio::awaitable<void> payment_engine::finish(timekeeper::time_point deadline)
{
    return core_->finish(deadline);
}

const engine_counters& payment_engine::counters() const noexcept
{
    return core_->counters;
}

std::size_t payment_engine::under_way() const noexcept
{
    return core_->working.size();
}

}  // namespace portitor::x402
