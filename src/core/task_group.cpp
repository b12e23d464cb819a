#include <portitor/core/exception_text.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>

namespace portitor {

namespace asio = boost::asio;

namespace {

// Empty for an end that is none of a failure: a normal return or a cancellation.
std::string failure_text(const std::exception_ptr& failure)
{
    if (!failure)
        return {};
    try
    {
        std::rethrow_exception(failure);
    }
    catch (const boost::system::system_error& thrown)
    {
        return thrown.code() == asio::error::operation_aborted ? std::string() : thrown.what();
    }
    catch (...)
    {
        return describe(failure);
    }
}

}  // namespace

task_group::task_group(asio::any_io_executor executor, logger log, failure_handler on_failure)
    : executor_(executor), log_(std::move(log)), on_failure_(std::move(on_failure)), idle_(executor)
{
    idle_.expires_at(asio::steady_timer::time_point::max());
}

template <typename Executor>
void task_group::start(const Executor& on, std::string name, asio::awaitable<void, Executor> work)
{
    tasks_.emplace_back();
    const auto which = std::prev(tasks_.end());
    which->name = std::move(name);
    asio::co_spawn(
        on,
        std::move(work),
        asio::bind_cancellation_slot(
            which->signal.slot(), [this, which](std::exception_ptr failure) { finished(which, failure); }
        )
    );
}

void task_group::spawn(std::string name, asio::awaitable<void> work)
{
    start(executor_, std::move(name), std::move(work));
}

void task_group::spawn(std::string name, asio::awaitable<void, asio::io_context::executor_type> work)
{
    const auto* concrete = executor_.target<asio::io_context::executor_type>();
    if (concrete == nullptr)
        throw std::logic_error("the task group does not run on an io_context");
    start(*concrete, std::move(name), std::move(work));
}

void task_group::finished(std::list<task>::iterator which, std::exception_ptr failure)
{
    const std::string what = failure_text(failure);
    const std::string name = std::move(which->name);
    tasks_.erase(which);
    if (!what.empty())
    {
        log_.error("a task ended with an exception", {{"task", name}, {"err", what}});
        if (on_failure_)
            on_failure_(name, what);
    }
    if (tasks_.empty())
        idle_.cancel();
}

void task_group::cancel()
{
    // A task may end inside emit() and leave the list, so step on first.
    for (auto at = tasks_.begin(); at != tasks_.end();)
        (at++)->signal.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> task_group::join()
{
    while (!tasks_.empty())
    {
        boost::system::error_code ignored;
        co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

asio::awaitable<void> sleep_for(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace portitor
