#include "cli/once/cluster_link.hpp"

#include "cli/cluster/no_cluster.hpp"

#include <portitor/kube/credentials.hpp>

namespace portitor::cli::once {

namespace {

std::string words_for(const roles::process& around, const config::kube_options& config)
{
    const auto who =
        kube::load_credentials(around.executor, around.timers, config.kubeconfig, config.context);
    std::string out = "the cluster";
    if (who)
        out += " " + (*who)->server().to_string();
    if (config.kubeconfig.empty())
        return out;
    return fmt::format(
        "{} ({} of {})",
        out,
        config.context.empty() ? "current context" : "context " + config.context,
        config.kubeconfig
    );
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
    auto server = around.connect();
    if (server)
        return cluster_link{std::move(*server), true, words_for(around, config.kube)};
    if (config.files.empty() || !config.kube.kubeconfig.empty())
        return server.error();
    return no_link(server.error().message());
}

}  // namespace portitor::cli::once
