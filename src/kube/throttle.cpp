#include <portitor/kube/throttle.hpp>

#include <algorithm>

namespace portitor::kube {

namespace asio = boost::asio;

/// A coroutine in acquire(). Takes itself out of the queue, or gives back what it was given too late, when it
/// is canceled.
struct throttle::waiter
{
    waiter(throttle& from, request_class urgency)
        : from_(from), queue(from.waiting_[static_cast<std::size_t>(urgency)]),
          signal(from.time_.make_timer(from.executor_))
    {
        queue.push_back(this);
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter()
    {
        std::erase(queue, this);
        if (admitted)
            from_.give_back();
    }

    throttle& from_;
    std::deque<waiter*>& queue;
    std::unique_ptr<timer> signal;
    bool admitted = false;
};

throttle::throttle(asio::any_io_executor executor, throttle_settings limits, timekeeper& time)
    : executor_(std::move(executor)), limits_(limits), time_(time), tokens_(limits.burst),
      refilled_at_(time.now())
{}

asio::awaitable<throttle::permit> throttle::acquire(request_class urgency)
{
    if (urgency == request_class::lease)
        co_return permit(nullptr);
    waiter self(*this, urgency);
    admit_waiting();
    for (;;)
    {
        if (std::exchange(self.admitted, false))
            co_return permit(this);
        self.signal->expires_at(next_token_at());
        co_await self.signal->wait();
        admit_waiting();
    }
}

void throttle::give_back()
{
    --in_flight_;
    admit_waiting();
    // Who waited for a connection may have to wait for a token from now on.
    for (auto& queue : waiting_)
    {
        if (!queue.empty())
        {
            queue.front()->signal->cancel();
            break;
        }
    }
}

void throttle::refill()
{
    const auto now = time_.now();
    const std::chrono::duration<double> passed = now - refilled_at_;
    refilled_at_ = now;
    tokens_ = std::min(limits_.burst, tokens_ + passed.count() * limits_.per_second);
}

bool throttle::may_admit()
{
    refill();
    return in_flight_ < limits_.most_in_flight && (limits_.per_second <= 0 || tokens_ >= 1);
}

void throttle::admit_waiting()
{
    for (auto& queue : waiting_)
    {
        while (!queue.empty() && may_admit())
        {
            waiter* first = queue.front();
            queue.pop_front();
            ++in_flight_;
            tokens_ -= limits_.per_second > 0 ? 1 : 0;
            first->admitted = true;
            first->signal->cancel();
        }
    }
}

timekeeper::time_point throttle::next_token_at() const
{
    // Where no connection is free, its return wakes the next one.
    if (limits_.per_second <= 0 || in_flight_ >= limits_.most_in_flight)
        return timekeeper::time_point::max();
    const std::chrono::duration<double> missing((1 - tokens_) / limits_.per_second);
    return refilled_at_ + std::chrono::duration_cast<std::chrono::milliseconds>(missing) +
           std::chrono::milliseconds(1);
}

}  // namespace portitor::kube
