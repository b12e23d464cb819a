#pragma once

#include "manual_timekeeper.hpp"
#include "roles/process.hpp"

namespace portitor::test {

/// A process that nobody has started: its time passes when the test says so, and its API server is whatever
/// `connect` gives; without it there is none.
struct hand_made_process
{
    boost::asio::io_context context{1};
    portitor::metrics metrics;
    portitor::health health;
    stop_signal stop{context.get_executor()};
    system_clock clock;
    manual_timekeeper timers;
    std::function<result<std::unique_ptr<kube::api>>()> connect = [] {
        return result<std::unique_ptr<kube::api>>(fail(errc::unavailable, "there is no API server"));
    };

    roles::process process()
    {
        return {
            context,
            context.get_executor(),
            logger(log_level::error, log_format::text),
            metrics,
            health,
            stop,
            clock,
            timers,
            connect};
    }
};

}  // namespace portitor::test
