#pragma once

#include "roles/process.hpp"
#include "roles/settings.hpp"

#include <portitor/kube/api.hpp>
#include <portitor/kube/environment.hpp>
#include <portitor/kube/leader_election.hpp>

#include <memory>
#include <optional>
#include <string>

namespace portitor::roles {

/// The API server that the settings name. errc::invalid where the credentials cannot be read.
result<std::unique_ptr<kube::api>>
connect(boost::asio::any_io_executor executor, timekeeper& timers, metrics& count, const settings& config);

/// What the Kubernetes layer needs of this process.
kube::environment environment_of(const process& around, kube::api& server);

/// The Lease of the controller that leads.
inline constexpr const char* controller_lease = "portitor-controller";

/// The Lease of that name in --namespace; nothing with --leader-elect=false or --dry-run. errc::invalid where
/// its times do not fit together.
result<std::optional<kube::lease_settings>> lease_of(const settings& config, const std::string& name);

}  // namespace portitor::roles
