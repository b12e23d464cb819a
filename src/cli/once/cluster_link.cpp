#include "cli/once/cluster_link.hpp"

#include "cli/cluster/no_cluster.hpp"

#include <portitor/kube/credentials.hpp>
#include <portitor/kube/kubeconfig_files.hpp>

#include <cstdlib>

namespace portitor::cli::once {

namespace {

result<kube::kubeconfig_choice> choose(const config::kube_options& config)
{
    return config.kubeconfig.empty() ? kube::find_kubeconfig(config.context)
                                     : kube::look_at_kubeconfig(config.kubeconfig, config.context);
}

std::string words_for(const roles::process& around, const kube::kubeconfig_choice& which)
{
    const auto who = kube::load_credentials(around.executor, around.timers, which.path, which.context);
    const std::string out = "the cluster" + (who ? " " + (*who)->server().to_string() : "");
    return which.path.empty() ? out : fmt::format("{} (context {} of {})", out, which.context, which.path);
}

cluster_link no_link(const std::string& why)
{
    return {std::make_unique<no_cluster>(), false, "files alone (" + why + ")"};
}

}  // namespace

result<cluster_link> link_to_cluster(const roles::process& around, const options& config)
{
    if (config.local)
        return no_link("--local");
    const auto which = choose(config.kube);
    auto server = around.connect();
    if (server)
        return cluster_link{
            std::move(*server), true, which ? words_for(around, *which) : std::string("the cluster")};
    if (config.files.empty())
        return server.error();
    if (which && which->path.empty() && !std::getenv("KUBERNETES_SERVICE_HOST"))
        return no_link("no cluster is named");
    return fail(server.error().code(), "{}; --local looks at the files alone", server.error().message());
}

}  // namespace portitor::cli::once
