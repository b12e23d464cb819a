#pragma once

#include <portitor/core/timekeeper.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <set>

namespace portitor::test {

/// Time that stands still until the test moves it. Must outlive its timers.
class manual_timekeeper final : public timekeeper
{
public:
    time_point now() const override { return now_; }

    std::unique_ptr<timer> make_timer(boost::asio::any_io_executor executor) override
    {
        return std::make_unique<manual_timer>(*this, executor);
    }

    /// Moves the time on and wakes the timers that are due; they run when the executor next does.
    void advance(std::chrono::milliseconds by)
    {
        now_ += by;
        for (manual_timer* each : timers_)
        {
            if (each->expiry() <= now_)
                each->cancel();
        }
    }

    /// The earliest time for which somebody waits; max() where nobody does.
    time_point next_expiry() const
    {
        auto next = time_point::max();
        for (const manual_timer* each : timers_)
        {
            if (each->waiting() && each->expiry() < next)
                next = each->expiry();
        }
        return next;
    }

private:
    class manual_timer final : public timer
    {
    public:
        manual_timer(manual_timekeeper& owner, boost::asio::any_io_executor executor)
            : owner_(owner), signal_(executor, time_point::max())
        {
            owner_.timers_.insert(this);
        }
        manual_timer(const manual_timer&) = delete;
        manual_timer& operator=(const manual_timer&) = delete;
        ~manual_timer() override { owner_.timers_.erase(this); }

        void expires_at(time_point when) override
        {
            expiry_ = when;
            signal_.cancel();
        }
        time_point expiry() const override { return expiry_; }
        void cancel() override { signal_.cancel(); }
        bool waiting() const { return waiting_ > 0; }

        boost::asio::awaitable<void> wait() override
        {
            if (expiry_ <= owner_.now_)
                co_return;
            ++waiting_;
            co_await signal_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            --waiting_;
        }

    private:
        manual_timekeeper& owner_;
        boost::asio::steady_timer signal_;
        time_point expiry_ = time_point::max();
        int waiting_ = 0;
    };

    time_point now_ = std::chrono::steady_clock::now();
    std::set<manual_timer*> timers_;
};

}  // namespace portitor::test
