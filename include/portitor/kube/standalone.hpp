#pragma once

#include <portitor/kube/api.hpp>
#include <portitor/kube/environment.hpp>

#include <memory>
#include <string>

namespace portitor::kube {

/// All that a controller needs around it, for a program that has nothing of its own yet: the machine's
/// clocks, a log in text on standard error, metrics and health checks that nobody has published so far.
class standalone
{
public:
    explicit standalone(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// The API server of a kubeconfig, or with an empty path the pod's own.
    result<std::unique_ptr<api>> connect(const std::string& kubeconfig);

    kube::environment environment(api& server)
    {
        return {executor_, server, timers_, clock_, log_, metrics_, health_};
    }

    /// Logs the failure; returns the exit code 1.
    int complain(const error& failure);

    portitor::metrics& metrics() { return metrics_; }
    portitor::health& health() { return health_; }

private:
    boost::asio::any_io_executor executor_;
    steady_timekeeper timers_;
    system_clock clock_;
    logger log_{log_level::info, log_format::text};
    portitor::metrics metrics_;
    portitor::health health_;
};

}  // namespace portitor::kube
