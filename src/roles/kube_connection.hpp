#pragma once

#include "roles/process.hpp"

#include <portitor/kube/environment.hpp>

namespace portitor::roles {

/// What the Kubernetes layer needs of this process.
kube::environment environment_of(const process& around, kube::api& server);

/// The same by another clock than the machine's.
kube::environment environment_of(const process& around, kube::api& server, const clock& wall);

/// The Lease of the controller that leads.
inline constexpr const char* controller_lease = "portitor-controller";

}  // namespace portitor::roles
