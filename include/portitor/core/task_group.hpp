#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <string>

namespace portitor {

/// Owns coroutines that run beside each other: every one that is spawned is joined, or cancelled and then
/// joined. An exception in one of them is a broken invariant: it is logged and handed to `on_failure`. One
/// strand. The group must outlive its tasks, so join() before it goes.
class task_group
{
public:
    using failure_handler = std::function<void(const std::string& task, const std::string& what)>;

    task_group(boost::asio::any_io_executor executor, logger log, failure_handler on_failure = {});
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    void spawn(std::string name, boost::asio::awaitable<void> task);
    /// The same for a coroutine that knows the type of its executor. @pre the group's executor is of it
    void spawn(std::string name, boost::asio::awaitable<void, boost::asio::io_context::executor_type> task);

    /// Cancels all tasks; each ends at its next suspension.
    void cancel();

    /// Returns when no task is left.
    boost::asio::awaitable<void> join();

    std::size_t size() const { return tasks_.size(); }
    const boost::asio::any_io_executor& executor() const { return executor_; }

private:
    struct task
    {
        std::string name;
        boost::asio::cancellation_signal signal;
    };

    template <typename Executor>
    void start(const Executor& on, std::string name, boost::asio::awaitable<void, Executor> work);
    void finished(std::list<task>::iterator which, std::exception_ptr failure);

    boost::asio::any_io_executor executor_;
    logger log_;
    failure_handler on_failure_;
    std::list<task> tasks_;
    boost::asio::steady_timer idle_;
};

/// Suspends for so long. Cancellation throws system_error(operation_aborted).
boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds duration);

}  // namespace portitor
