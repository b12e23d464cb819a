#include "cli/doctor/release_parts.hpp"

#include "cli/doctor/looking.hpp"

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

constexpr kube::resource deployments{"apps", "v1", "deployments", "Deployment"};

}  // namespace

asio::awaitable<kube::api_result<std::vector<kube::object_ptr>>> deployments_of_release(const patient& of)
{
    kube::selection ours;
    ours.ns = of.release;
    ours.labels = "app.kubernetes.io/part-of=portitor";
    co_return co_await list(of.server, deployments, std::move(ours));
}

asio::awaitable<std::map<std::string, std::string>> accounts_of_release(const patient& of)
{
    std::map<std::string, std::string> out;
    const auto found = co_await deployments_of_release(of);
    if (!found)
        co_return out;
    for (const kube::object_ptr& each : *found)
    {
        const std::string account = kube::string_at(each->spec(), "template.spec.serviceAccountName");
        if (!account.empty())
            out[role_of(*each)] = account;
    }
    co_return out;
}

std::string role_of(const kube::object& part)
{
    // The key holds points, so it is no path.
    const auto* role = kube::labels_of(part).if_contains("app.kubernetes.io/component");
    return role && role->is_string() ? std::string(role->get_string()) : std::string();
}

}  // namespace portitor::cli::doctor
