#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/health.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace portitor::kube {

class api;

/// What a part of a controller needs from around it: the API server, and where to say how it goes. All of it
/// outlives whoever gets it.
struct environment
{
    boost::asio::any_io_executor executor;
    api& server;
    timekeeper& timers;
    const portitor::clock& clock;
    logger log;
    portitor::metrics& metrics;
    portitor::health& health;
};

}  // namespace portitor::kube
