#include "kube/background_job.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace portitor::kube {

namespace asio = boost::asio;

background_job::background_job(asio::any_io_executor executor, timekeeper& time)
    : executor_(executor), time_(time), wake_(time.make_timer(executor))
{}

background_job::~background_job()
{
    stop();
}

void background_job::start(work what, time_point patience)
{
    running_ = true;
    ++run_;
    patience_ = patience;
    wake_->expires_at(patience);
    if (!thread_)
        thread_.emplace(1);
    // The weak pointer says, on the executor's own thread, whether `this` is still there.
    auto job = [this,
                what = std::move(what),
                stop = stop_.get_token(),
                executor = executor_,
                alive = std::weak_ptr<bool>(alive_)] {
        auto after = what(stop);
        asio::post(executor, [this, alive, after = std::move(after)] {
            if (!alive.expired())
                finished(after);
        });
    };
    asio::post(*thread_, std::move(job));
}

void background_job::finished(const follow_up& after)
{
    running_ = false;
    after();
    wake_->cancel();
}

asio::awaitable<void> background_job::wait()
{
    const unsigned run = run_;
    bool waiting = running_ && time_.now() < patience_;
    while (waiting)
    {
        co_await wake_->wait();
        waiting = running_ && run == run_ && time_.now() < patience_;
    }
}

void background_job::stop()
{
    stop_.request_stop();
    alive_.reset();
    running_ = false;
    // A read from a volume that hangs holds this up, as it would hold up the end of the process.
    if (thread_)
        thread_->join();
    wake_->cancel();
}

}  // namespace portitor::kube
