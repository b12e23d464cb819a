#pragma once

#include "cli/cluster/operator_settings.hpp"

#include <portitor/config/kube_options.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace portitor::cli::once {

/// What `portitor once` reads.
struct options
{
    operator_settings settings;
    config::kube_options kube;                  ///< for the words about the cluster; the process connects
    std::chrono::seconds deletion_deadline{0};  ///< the controller's

    std::vector<std::string> offers;  ///< NAMESPACE/NAME, or NAME
    std::vector<std::string> files;   ///< files, directories, "-"
    bool everything = false;          ///< -A
    std::string ns;                   ///< -n; empty: the context's
    std::string selector;             ///< label selector of the offers that are shown
    std::string output;               ///< text, yaml or json
    bool local = false;               ///< no cluster
    bool no_dry_run = false;          ///< no server-side one
    bool all = false;                 ///< also what stays as it is
    std::string compare;              ///< NAMESPACE/NAME of the predecessor's ConfigMap, or a file; empty: no

    void declare(config::loader& into);
    result<void> resolve();
};

}  // namespace portitor::cli::once
