#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace portitor {

/// The request to end the process in order, and its exit code. One strand.
class stop_signal
{
public:
    explicit stop_signal(boost::asio::any_io_executor executor);

    /// Asks for the end. The first non-zero code stays.
    void request(int exit_code = 0);

    bool requested() const { return requested_; }
    int exit_code() const { return exit_code_; }

    /// Returns once the end has been asked for.
    boost::asio::awaitable<void> wait();

private:
    boost::asio::steady_timer signal_;
    bool requested_ = false;
    int exit_code_ = 0;
};

}  // namespace portitor
