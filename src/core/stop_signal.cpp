#include <portitor/core/stop_signal.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor {

namespace asio = boost::asio;

stop_signal::stop_signal(asio::any_io_executor executor) : signal_(executor)
{
    signal_.expires_at(asio::steady_timer::time_point::max());
}

void stop_signal::request(int exit_code)
{
    if (exit_code_ == 0)
        exit_code_ = exit_code;
    requested_ = true;
    signal_.cancel();
}

asio::awaitable<void> stop_signal::wait()
{
    while (!requested_)
    {
        boost::system::error_code ignored;
        co_await signal_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

}  // namespace portitor
