#include <portitor/config/common_options.hpp>
#include <portitor/config/lease_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

void lease_options::declare(loader& into)
{
    into.add(namespace_option(ns));
    const headed options = into.under("Leader election");
    options.add(
        {"leader-elect",
         "controller, registrar: only the holder of a Lease in --namespace works, the others wait",
         "true",
         set_bool(leader_elect),
         true}
    );
    into.add(lease_duration_option(duration));
    options.add(
        {"leader-elect-renew-deadline",
         "after how long without a renewal the leader itself gives up",
         "10s",
         set_seconds(renew_deadline)}
    );
    options.add(
        {"leader-elect-retry-period",
         "time between two attempts to get or renew the Lease",
         "2s",
         set_seconds(retry_period)}
    );
}

result<void> lease_options::resolve()
{
    if (const auto wanted = lease("portitor"))
    {
        if (auto checked = kube::check(*wanted); !checked)
            return checked.error().within("--leader-elect-…");
    }
    return {};
}

std::optional<kube::lease_settings> lease_options::lease(const std::string& name) const
{
    if (!leader_elect)
        return std::nullopt;
    kube::lease_settings out;
    out.lease = {ns, name};
    out.holder = kube::make_holder_identity();
    out.duration = duration;
    out.renew_deadline = renew_deadline;
    out.retry_period = retry_period;
    return out;
}

}  // namespace portitor::config
