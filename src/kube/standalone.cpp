#include <portitor/kube/credentials.hpp>
#include <portitor/kube/standalone.hpp>

namespace portitor::kube {

result<std::unique_ptr<api>> standalone::connect(const std::string& kubeconfig)
{
    auto who = load_credentials(executor_, timers_, kubeconfig, "");
    if (!who)
        return who.error();
    return make_api(executor_, std::move(*who), throttle_settings(), timers_, metrics_);
}

int standalone::complain(const error& failure)
{
    log_.error("cannot start", {{"err", failure.message()}});
    return 1;
}

}  // namespace portitor::kube
