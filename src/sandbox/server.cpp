#include "sandbox/server.hpp"

namespace portitor::sandbox {

namespace asio = boost::asio;

namespace {

// On a list for as long as it lives, however its coroutine ends.
class listed
{
public:
    using list = std::shared_ptr<std::list<timer*>>;

    listed(list in, timer* what) : in_(std::move(in)), at_(in_->insert(in_->end(), what)) {}
    ~listed() { in_->erase(at_); }
    listed(const listed&) = delete;
    listed& operator=(const listed&) = delete;

private:
    list in_;
    std::list<timer*>::iterator at_;
};

}  // namespace

server::server(asio::any_io_executor executor, timekeeper& time, const clock& wall, storage_limits limits)
    : executor_(std::move(executor)), time_(time), wall_(wall), storage_(wall, limits, [this] { wake(); })
{}

void server::stop()
{
    running_ = false;
    frozen_ = false;
    ++happened_.stops;
    wake();
}

void server::start()
{
    running_ = true;
}

void server::freeze()
{
    frozen_ = true;
}

void server::thaw()
{
    frozen_ = false;
    wake();
}

void server::end_watches()
{
    ++happened_.ends;
    wake();
}

void server::break_watches()
{
    ++happened_.breaks;
    wake();
}

void server::expire_watches()
{
    ++happened_.expiries;
    wake();
}

asio::awaitable<void> server::wait_for_change(timekeeper::time_point until)
{
    const auto signal = time_.make_timer(executor_);
    signal->expires_at(until);
    const listed here(waiting_, signal.get());
    co_await signal->wait();
}

void server::wake()
{
    for (timer* each : *waiting_)
        each->cancel();
}

}  // namespace portitor::sandbox
