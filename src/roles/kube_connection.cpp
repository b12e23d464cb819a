#include "roles/kube_connection.hpp"

namespace portitor::roles {

result<std::unique_ptr<kube::api>>
connect(boost::asio::any_io_executor executor, timekeeper& timers, metrics& count, const settings& config)
{
    auto who = kube::load_credentials(executor, timers, config.kubeconfig, config.context);
    if (!who)
        return who.error();
    kube::throttle_settings limits;
    limits.per_second = config.kube_api_qps;
    limits.burst = config.kube_api_burst;
    return kube::make_api(std::move(executor), std::move(*who), limits, timers, count);
}

kube::environment environment_of(const process& around, kube::api& server)
{
    return {around.executor, server, around.timers, around.clock, around.log, around.metrics, around.health};
}

result<std::optional<kube::lease_settings>> lease_of(const settings& config, const std::string& name)
{
    if (!config.leader_elect || config.dry_run)
        return std::optional<kube::lease_settings>();
    kube::lease_settings lease;
    lease.lease = {config.ns, name};
    lease.holder = kube::make_holder_identity();
    lease.duration = config.lease_duration;
    lease.renew_deadline = config.renew_deadline;
    lease.retry_period = config.retry_period;
    if (auto checked = kube::check(lease); !checked)
        return checked.error().within("--leader-elect-…");
    return std::optional(std::move(lease));
}

}  // namespace portitor::roles
