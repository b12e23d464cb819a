#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace portitor {

/// A timer on the time that its timekeeper keeps. One strand.
class timer
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    virtual ~timer() = default;

    /// Sets the time, and wakes all who wait. A new timer never expires.
    virtual void expires_at(time_point when) = 0;
    virtual time_point expiry() const = 0;

    /// Wakes all who wait.
    virtual void cancel() = 0;

    /// Returns when the time has come, or at cancel() or expires_at(). Where the coroutine is canceled, its
    /// next suspension throws.
    virtual boost::asio::awaitable<void> wait() = 0;
};

/// Monotonic time and everything that waits for it, injected so that tests decide how it passes.
class timekeeper
{
public:
    using time_point = timer::time_point;

    virtual ~timekeeper() = default;

    virtual time_point now() const = 0;
    virtual std::unique_ptr<timer> make_timer(boost::asio::any_io_executor executor) = 0;

    /// Suspends until then. Cancellation throws system_error(operation_aborted).
    boost::asio::awaitable<void> sleep_until(time_point when);
    /// The same, for so long from now.
    boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds duration);
};

/// The machine's monotonic clock.
class steady_timekeeper final : public timekeeper
{
public:
    time_point now() const override { return std::chrono::steady_clock::now(); }
    std::unique_ptr<timer> make_timer(boost::asio::any_io_executor executor) override;
};

}  // namespace portitor
