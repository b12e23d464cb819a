#pragma once

#include <portitor/core/timekeeper.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace portitor::kube {

/// Blocking work on a thread of its own, one piece at a time, so that the executor's never blocks. One
/// strand; what it was made with must outlive it.
class background_job
{
public:
    using time_point = timekeeper::time_point;
    using follow_up = std::function<void()>;
    /// Runs on the job's own thread; what it returns runs on the executor, unless the job has been stopped.
    using work = std::function<follow_up(std::stop_token)>;

    background_job(boost::asio::any_io_executor executor, timekeeper& time);
    background_job(const background_job&) = delete;
    background_job& operator=(const background_job&) = delete;
    ~background_job();

    /// Must not be running. Nobody waits for it longer than until `patience`; it goes on all the same.
    void start(work what, time_point patience);

    /// True until the follow-up has run.
    bool running() const { return running_; }

    /// Returns when the present run, if any, has ended or patience has. Cancellation ends the waiting only.
    boost::asio::awaitable<void> wait();

    /// Asks the work to stop, waits for it, and wakes those who wait(). The follow-up does not run any more.
    void stop();

private:
    void finished(const follow_up& after);

    boost::asio::any_io_executor executor_;
    timekeeper& time_;
    std::unique_ptr<timer> wake_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::optional<boost::asio::thread_pool> thread_;  // made when it is first needed
    std::stop_source stop_;
    time_point patience_{};
    unsigned run_ = 0;
    bool running_ = false;
};

}  // namespace portitor::kube
