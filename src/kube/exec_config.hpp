#pragma once

#include "kube/exec_plugin.hpp"

#include <yaml-cpp/yaml.h>

#include <string>

namespace portitor::kube {

/// Reads a kubeconfig's user.exec. `cluster` and the CA's PEM text are what the plugin is told where it asks
/// for the cluster; `folder` is that of the kubeconfig. The environment is the process's own as it is now.
/// Throws bad_configuration.
exec_plugin read_exec_config(
    const YAML::Node& exec, const YAML::Node& cluster, const std::string& ca, const std::string& folder
);

}  // namespace portitor::kube
