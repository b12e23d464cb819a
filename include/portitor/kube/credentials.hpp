#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/http.hpp>
#include <portitor/core/http_client.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace portitor::kube {

/// A bearer token that may lie in a file that the kubelet renews: read again every minute, and at once on
/// demand. A failing read keeps the old token. Never log what value() returns.
class bearer_token
{
public:
    bearer_token() = default;
    static bearer_token fixed(std::string token);
    static bearer_token from_file(std::string path);

    /// Empty where there is none.
    const std::string& value();
    void expire() { read_at_ = {}; }

private:
    std::string token_;
    std::string path_;
    std::chrono::steady_clock::time_point read_at_{};
};

/// Where the API server is and how to show oneself to it.
struct connection_config
{
    http::origin server;
    http::tls_settings tls;
    bearer_token token;
};

/// From a kubeconfig: inline or file CA, client certificate, token or tokenFile, tls-server-name; relative
/// paths are those of the file. What is not supported (exec and auth-provider plugins, proxies, basic auth,
/// skipped TLS verification) is refused by name. `context` may be empty: the current one.
result<connection_config> load_kubeconfig(const std::string& path, const std::string& context);

/// From the pod's service account and the environment that the kubelet sets.
result<connection_config> load_in_cluster();

/// The kubeconfig where a path is given, else the service account.
result<connection_config> load_connection(const std::string& kubeconfig, const std::string& context);

}  // namespace portitor::kube
