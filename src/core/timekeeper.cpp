#include <portitor/core/saturating_time.hpp>
#include <portitor/core/timekeeper.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace portitor {

namespace asio = boost::asio;

namespace {

class steady_timer final : public timer
{
public:
    explicit steady_timer(asio::any_io_executor executor) : timer_(executor, time_point::max()) {}

    void expires_at(time_point when) override { timer_.expires_at(when); }
    time_point expiry() const override { return timer_.expiry(); }
    void cancel() override { timer_.cancel(); }

    asio::awaitable<void> wait() override { co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)); }

private:
    asio::steady_timer timer_;
};

}  // namespace

asio::awaitable<void> timekeeper::sleep_for(std::chrono::milliseconds duration)
{
    co_await sleep_until(saturating_add(now(), duration));
}

asio::awaitable<void> timekeeper::sleep_until(time_point when)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto own = make_timer(executor);
    own->expires_at(when);
    co_await own->wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
}

std::unique_ptr<timer> steady_timekeeper::make_timer(asio::any_io_executor executor)
{
    return std::make_unique<steady_timer>(executor);
}

}  // namespace portitor
