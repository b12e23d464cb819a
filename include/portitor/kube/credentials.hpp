#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/http/client.hpp>
#include <portitor/http/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace portitor::kube {

/// What a request shows to the API server, and whom it trusts to be one.
struct identity
{
    std::string bearer_token;                       ///< empty where there is none; never to be logged
    std::shared_ptr<const http::tls_settings> tls;  ///< another pointer where a certificate or the CA changed
};

/// Where the API server is and how to show oneself to it. Files are read again every minute, on a thread of
/// their own; so runs an exec plugin. One strand. It may go while somebody waits for current(), but what it
/// was made with must outlive it; its end kills a plugin that runs, and waits for a read from a volume that
/// hangs.
class credentials
{
public:
    virtual ~credentials() = default;

    virtual const http::origin& server() const = 0;

    /// What is valid now; renewed where it is about to expire. All who call meanwhile share one renewal. One
    /// that fails keeps the old one, and so does a file that has not been read within five seconds. An error
    /// only where an exec plugin failed and gave nothing before that has not expired: errc::unavailable when
    /// it ended badly or took more than a minute, errc::protocol when its output is no ExecCredential,
    /// errc::invalid when it is not installed; errc::canceled at the end of this object. Cancellation ends
    /// the waiting, not the renewal.
    virtual boost::asio::awaitable<result<identity>> current() = 0;

    /// The server has refused what current() gave: the next call renews it. A plugin runs again no sooner
    /// than five seconds after it has ended, however often this is called.
    virtual void expire() = 0;
};

/// From a kubeconfig: server, CA and tls-server-name of the cluster; client certificate, token, tokenFile or
/// exec plugin (client.authentication.k8s.io/v1, v1beta1) of the user. Relative paths are those of the file.
/// `context` may be empty: the current one. errc::not_found: no such file; errc::invalid names the field that
/// is wrong or not supported (proxies, skipped TLS verification, basic auth, auth-provider, impersonation).
result<std::unique_ptr<credentials>> load_kubeconfig(
    boost::asio::any_io_executor executor,
    timekeeper& time,
    const std::string& path,
    const std::string& context
);

/// From the pod's service account and the environment that the kubelet sets.
result<std::unique_ptr<credentials>> load_in_cluster(boost::asio::any_io_executor executor, timekeeper& time);

/// The kubeconfig where a path is given, else the service account.
result<std::unique_ptr<credentials>> load_credentials(
    boost::asio::any_io_executor executor,
    timekeeper& time,
    const std::string& kubeconfig,
    const std::string& context
);

}  // namespace portitor::kube
