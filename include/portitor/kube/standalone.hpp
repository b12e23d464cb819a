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
        return {executor_, server, time_, wall_, log_, numbers_, checks_};
    }

    /// Logs the failure; returns the exit code 1.
    int complain(const error& failure);

    metrics& numbers() { return numbers_; }
    health& checks() { return checks_; }

private:
    boost::asio::any_io_executor executor_;
    steady_timekeeper time_;
    system_clock wall_;
    logger log_{log_level::info, log_format::text};
    metrics numbers_;
    health checks_;
};

}  // namespace portitor::kube
