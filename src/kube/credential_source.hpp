#pragma once

#include "kube/exec_plugin.hpp"

#include <portitor/core/error.hpp>
#include <portitor/http/message.hpp>
#include <portitor/kube/credentials.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace portitor::kube {

/// A text that was read at the start; where it came from a file, that is read again and again.
struct text_source
{
    std::string text;
    std::string path;  ///< empty: the text stays as it is
};

/// Where the API server is, and everything that an identity is made of.
struct credential_source
{
    http::origin server;
    std::string server_name;
    text_source ca;
    text_source certificate;
    text_source private_key;
    text_source token;
    std::optional<exec_plugin> plugin;  ///< instead of the token; its certificate goes before the above
};

/// errc::invalid names the file and the field that cannot be used; errc::not_found: no such file.
result<credential_source> read_kubeconfig(const std::string& path, const std::string& context);

/// From a folder with `ca.crt` and `token`, and KUBERNETES_SERVICE_HOST and _PORT of the environment.
result<credential_source> read_service_account(const std::string& folder);

/// Keeps what is read from files and plugins fresh.
std::unique_ptr<credentials>
make_credentials(boost::asio::any_io_executor executor, timekeeper& time, credential_source source);

}  // namespace portitor::kube
