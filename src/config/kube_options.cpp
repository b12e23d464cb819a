#include <portitor/config/kube_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/kube/credentials.hpp>
#include <portitor/kube/throttle.hpp>

namespace portitor::config {

void kube_options::declare(loader& into)
{
    const headed options = into.under("Kubernetes");
    options.add(
        {"kubeconfig", "kubeconfig file; without it the pod's service account", "", set_text(kubeconfig)}
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

result<std::unique_ptr<kube::api>> kube_options::connect(
    boost::asio::any_io_executor executor, timekeeper& timers, portitor::metrics& metrics
) const
{
    auto who = kube::load_credentials(executor, timers, kubeconfig, context);
    if (!who)
        return who.error();
    kube::throttle_settings limits;
    limits.per_second = qps;
    limits.burst = burst;
    return kube::make_api(std::move(executor), std::move(*who), limits, timers, metrics);
}

}  // namespace portitor::config
