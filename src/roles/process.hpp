#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/health.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/stop_signal.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace portitor::roles {

/// What the process gives to its role. All that is referred to outlives the role.
struct process
{
    boost::asio::io_context& context;       ///< run by one thread
    boost::asio::any_io_executor executor;  ///< of the context
    logger log;
    portitor::metrics& metrics;
    portitor::health& health;
    portitor::stop_signal& stop;
    const portitor::clock& clock;  ///< the time of day
    portitor::timekeeper& timers;  ///< everything that waits
    /// The API server to work with; an error where its credentials cannot be read. A test gives another one.
    std::function<result<std::unique_ptr<kube::api>>()> connect;
};

}  // namespace portitor::roles
