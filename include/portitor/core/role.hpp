#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/health.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/stop_signal.hpp>
#include <portitor/core/timekeeper.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace portitor {

/// What the process gives to its role. Outlives it.
struct process
{
    boost::asio::io_context& context;       ///< run by one thread
    boost::asio::any_io_executor executor;  ///< of the context
    logger log;
    portitor::metrics& numbers;
    portitor::health& checks;
    portitor::stop_signal& end;
    const portitor::clock& time;
    portitor::timekeeper& steady;
};

/// What one process does. Constructed with everything it needs; run() is its whole life.
class role
{
public:
    virtual ~role() = default;

    /// Works until process.end is requested or there is nothing left to do, and returns when all that it
    /// started has ended. A value is the exit code; an error is one line for the user, and exit code 1.
    virtual boost::asio::awaitable<result<int>> run() = 0;
};

}  // namespace portitor
