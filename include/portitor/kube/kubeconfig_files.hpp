#pragma once

#include <portitor/core/error.hpp>

#include <string>

namespace portitor::kube {

/// A kubeconfig of the user, and what is meant by default in it.
struct kubeconfig_choice
{
    std::string path;     ///< empty: there is none
    std::string context;  ///< the one asked for, else the current one; empty where there is none
    std::string ns;       ///< of that context; empty where it names none
};

/// The kubeconfig that kubectl would use for that context (empty: the current one) where none is named: a
/// file of $KUBECONFIG, else ~/.kube/config. Of several, the first one that says something counts, as for
/// kubectl; but a context's cluster and user have to stand in the file that the context stands in. Reads
/// files. errc::invalid and errc::not_found as load_kubeconfig().
result<kubeconfig_choice> find_kubeconfig(const std::string& context);

/// The same for a file that is named.
result<kubeconfig_choice> look_at_kubeconfig(const std::string& path, const std::string& context);

/// The namespace of the pod that this process runs in; empty outside of one.
std::string pod_namespace();

}  // namespace portitor::kube
