#pragma once

#include <string>

namespace portitor::config {

/// Whether what is said to this host in the clear stays on the machine or in the cluster: loopback, or a name
/// below .svc.
bool is_local(const std::string& host);

}  // namespace portitor::config
