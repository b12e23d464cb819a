#include "ledger/wait_queue.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor::ledger {

namespace asio = boost::asio;

asio::awaitable<bool>
wait_queue::wait(std::shared_ptr<wait_queue> queue, timekeeper& time, timekeeper::time_point deadline)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::unique_ptr<timer> alarm = time.make_timer(executor);
    waiter self;
    self.alarm = alarm.get();
    struct place
    {
        wait_queue& queue;
        std::list<waiter*>::iterator at;
        ~place() { queue.waiting_.erase(at); }
    } const held{*queue, queue->waiting_.insert(queue->waiting_.end(), &self)};
    alarm->expires_at(deadline);
    while (!self.woken && time.now() < deadline)
        co_await alarm->wait();
    const bool woken = self.woken;
    co_return woken;
}

void wait_queue::wake()
{
    for (waiter* each : waiting_)
    {
        each->woken = true;
        each->alarm->cancel();
    }
}

}  // namespace portitor::ledger
