#pragma once

#include <portitor/core/timekeeper.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <list>
#include <memory>

namespace portitor::ledger {

/// Coroutines that wait for one thing to happen. One strand.
class wait_queue
{
public:
    /// Suspends until wake() or the deadline. No wake() after the call is missed. The coroutine leaves the
    /// queue however it ends, destruction with its executor included.
    /// @returns whether it was woken
    static boost::asio::awaitable<bool>
    wait(std::shared_ptr<wait_queue> queue, timekeeper& time, timekeeper::time_point deadline);

    /// Wakes all who wait.
    void wake();

    std::size_t size() const noexcept { return waiting_.size(); }

private:
    struct waiter
    {
        timer* alarm = nullptr;
        bool woken = false;
    };

    std::list<waiter*> waiting_;
};

}  // namespace portitor::ledger
