#include "kube/credential_source.hpp"

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

result<std::unique_ptr<credentials>>
renewed(asio::any_io_executor executor, timekeeper& time, result<credential_source> source)
{
    if (!source)
        return source.error();
    return make_credentials(std::move(executor), time, std::move(*source));
}

}  // namespace

result<std::unique_ptr<credentials>> load_kubeconfig(
    asio::any_io_executor executor, timekeeper& time, const std::string& path, const std::string& context
)
{
    return renewed(std::move(executor), time, read_kubeconfig(path, context));
}

result<std::unique_ptr<credentials>> load_in_cluster(asio::any_io_executor executor, timekeeper& time)
{
    const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    return renewed(std::move(executor), time, read_service_account(folder));
}

result<std::unique_ptr<credentials>> load_credentials(
    asio::any_io_executor executor,
    timekeeper& time,
    const std::string& kubeconfig,
    const std::string& context
)
{
    if (kubeconfig.empty())
        return load_in_cluster(std::move(executor), time);
    return load_kubeconfig(std::move(executor), time, kubeconfig, context);
}

}  // namespace portitor::kube
