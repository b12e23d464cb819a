#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace portitor::config {

/// Which API server, as whom, and how hard it may be asked.
struct kube_options
{
    std::string kubeconfig;  ///< empty: the pod's service account
    std::string context;     ///< empty: the current one
    std::uint32_t qps = 0;   ///< 0: no limit
    std::uint32_t burst = 100;

    void declare(loader& into);
    result<void> resolve() { return {}; }

    /// A client of that API server. errc::invalid where the credentials cannot be read.
    result<std::unique_ptr<kube::api>>
    connect(boost::asio::any_io_executor executor, timekeeper& timers, portitor::metrics& metrics) const;
};

}  // namespace portitor::config
