#include <portitor/config/kube_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/kube/credentials.hpp>
#include <portitor/kube/throttle.hpp>

#include <cstdlib>

namespace portitor::config {

void kube_options::declare(loader& into)
{
    const headed options = into.under("Kubernetes");
    options.add(
        {"kubeconfig",
         "kubeconfig file; without it a role is what its pod's service account says, and a command looks at "
         "$KUBECONFIG and ~/.kube/config first",
         "",
         set_text(kubeconfig)}
    );
    options.add({"context", "context of the kubeconfig; without it the current one", "", set_text(context)});
    options.add(
        {"kube-api-qps", "requests a second to the API server; 0: as many as it takes", "0", set_number(qps)}
    );
    options.add(
        {"kube-api-burst",
         "requests that --kube-api-qps lets go at once after a quiet time",
         "100",
         set_number(burst)}
    );
}

result<kube::kubeconfig_choice> kube_options::choose() const
{
    if (kubeconfig.empty() && is_of_a_person)
        return kube::find_kubeconfig(context);
    return kube::kubeconfig_choice{kubeconfig, context, {}};
}

std::string kube_options::default_namespace() const
{
    auto which = kubeconfig.empty() ? choose() : kube::look_at_kubeconfig(kubeconfig, context);
    // What cannot be read is told by who connects.
    std::string out = which ? which->ns : std::string();
    if (out.empty() && which && which->path.empty())
        out = kube::pod_namespace();
    return out.empty() ? "default" : out;
}

result<std::unique_ptr<kube::api>> kube_options::connect(
    boost::asio::any_io_executor executor, timekeeper& timers, portitor::metrics& metrics
) const
{
    auto which = choose();
    if (!which)
        return which.error();
    if (is_of_a_person && which->path.empty() && !std::getenv("KUBERNETES_SERVICE_HOST"))
        return fail(
            errc::invalid,
            "no cluster is named: there is neither a file of $KUBECONFIG nor ~/.kube/config; "
            "give --kubeconfig FILE"
        );
    auto who = kube::load_credentials(executor, timers, which->path, which->context);
    if (!who)
        return who.error();
    kube::throttle_settings limits;
    limits.per_second = qps;
    limits.burst = burst;
    return kube::make_api(std::move(executor), std::move(*who), limits, timers, metrics);
}

}  // namespace portitor::config
