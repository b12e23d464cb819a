#pragma once

#include "cli/once/options.hpp"
#include "roles/process.hpp"

#include <memory>
#include <string>

namespace portitor::cli::once {

/// The cluster that is looked at, or none.
struct cluster_link
{
    std::unique_ptr<kube::api> server;  ///< never null: without a cluster one that has nothing
    bool is_cluster = false;
    std::string words;  ///< which one it is
};

/// The process's cluster. None with --local, and where files are given and no cluster is configured.
result<cluster_link> link_to_cluster(const roles::process& around, const options& config);

}  // namespace portitor::cli::once
