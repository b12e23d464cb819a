#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/kube/leader_election.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace portitor::config {

/// Which of several replicas works, and how soon another one takes over.
struct lease_options
{
    std::string ns;  ///< --namespace, where the Lease is
    bool leader_elect = true;
    std::chrono::seconds duration{15};
    std::chrono::seconds renew_deadline{10};
    std::chrono::seconds retry_period{2};

    void declare(loader& into);

    /// errc::invalid where the times do not fit together.
    result<void> resolve();

    /// The Lease of that name, for this process; nothing with --leader-elect=false.
    std::optional<kube::lease_settings> lease(const std::string& name) const;
};

}  // namespace portitor::config
