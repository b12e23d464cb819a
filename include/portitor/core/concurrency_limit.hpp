#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <list>
#include <utility>

namespace portitor {

/// So many at a time, in the order in which they came. One strand. Must outlive its places.
class concurrency_limit
{
public:
    explicit concurrency_limit(std::size_t most) : free_(most) {}
    concurrency_limit(const concurrency_limit&) = delete;
    concurrency_limit& operator=(const concurrency_limit&) = delete;

    /// Held for as long as one is at work.
    class place
    {
    public:
        place(place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        place& operator=(place&&) = delete;
        ~place()
        {
            if (of_ != nullptr)
                of_->leave();
        }

    private:
        friend class concurrency_limit;
        explicit place(concurrency_limit& of) : of_(&of) {}

        concurrency_limit* of_;
    };

    /// Waits for a place. Cancellation throws system_error(operation_aborted).
    boost::asio::awaitable<place> enter();

    std::size_t waiting() const noexcept { return waiting_.size(); }

private:
    class waiter;

    void leave();

    std::size_t free_;
    std::list<waiter*> waiting_;
};

}  // namespace portitor
