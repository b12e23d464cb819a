#include <portitor/core/concurrency_limit.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace portitor {

namespace asio = boost::asio;

/// One that stands in line. However it ends, destruction with its executor included, it leaves the line and
/// passes on a place that it was given and did not take.
class concurrency_limit::waiter
{
public:
    waiter(concurrency_limit& of, const asio::any_io_executor& executor)
        : of_(of), called_(executor, asio::steady_timer::time_point::max()),
          at_(of.waiting_.insert(of.waiting_.end(), this))
    {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    ~waiter()
    {
        if (!has_place_)
            of_.waiting_.erase(at_);
        else if (!taken_)
            of_.leave();
    }

    void call()
    {
        of_.waiting_.erase(at_);
        has_place_ = true;
        called_.cancel();
    }

    auto wait() { return called_.async_wait(asio::as_tuple(asio::use_awaitable)); }

    place take()
    {
        if (!has_place_)
            throw boost::system::system_error(asio::error::operation_aborted);
        taken_ = true;
        return place(of_);
    }

private:
    concurrency_limit& of_;
    asio::steady_timer called_;
    std::list<waiter*>::iterator at_;
    bool has_place_ = false;
    bool taken_ = false;
};

asio::awaitable<concurrency_limit::place> concurrency_limit::enter()
{
    if (free_ > 0)
    {
        --free_;
        co_return place(*this);
    }
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    waiter self(*this, executor);
    co_await self.wait();
    co_return self.take();
}

void concurrency_limit::leave()
{
    if (waiting_.empty())
        ++free_;
    else
        waiting_.front()->call();
}

}  // namespace portitor
