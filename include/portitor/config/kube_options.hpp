#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/kubeconfig_files.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace portitor::config {

/// Which API server, as whom, and how hard it may be asked.
struct kube_options
{
    std::string kubeconfig;  ///< empty: see is_of_a_person
    std::string context;     ///< empty: the current one
    std::uint32_t qps = 0;   ///< 0: no limit
    std::uint32_t burst = 100;
    /// Without --kubeconfig the files of whoever runs this are looked for, as kubectl does: for a command. A
    /// role is what its pod's service account says.
    bool is_of_a_person = false;

    void declare(loader& into);
    result<void> resolve() { return {}; }

    /// A client of that API server. errc::invalid where the credentials cannot be read.
    result<std::unique_ptr<kube::api>>
    connect(boost::asio::any_io_executor executor, timekeeper& timers, portitor::metrics& metrics) const;

    /// Where somebody works who names no namespace: that of the context, or of the pod, else "default".
    std::string default_namespace() const;

private:
    result<kube::kubeconfig_choice> choose() const;
};

}  // namespace portitor::config
