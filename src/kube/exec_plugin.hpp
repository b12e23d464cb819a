#pragma once

#include "kube/child_process.hpp"

#include <portitor/core/error.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace portitor::kube {

/// A kubeconfig's user.exec, ready to be run.
struct exec_plugin
{
    child_command command;
    std::string name;          ///< the command as the kubeconfig has it
    std::string api_version;   ///< client.authentication.k8s.io/v1 or v1beta1
    std::string install_hint;  ///< told where the command is not found
    child_limits limits;
};

/// What a plugin gave: a token, or a client certificate and its key, or both.
struct exec_credential
{
    std::string token;
    std::string certificate;
    std::string private_key;
    std::optional<std::chrono::system_clock::time_point> expires;  ///< none: good until it is refused
};

/// Reads an ExecCredential of that version. errc::protocol tells what is wrong, and nothing of the text.
result<exec_credential> parse_exec_credential(std::string_view output, const std::string& api_version);

/// Runs the plugin; blocks. errc::invalid where its command is not found, else as run_child() and
/// parse_exec_credential() say.
result<exec_credential> run_exec_plugin(const exec_plugin& plugin, std::stop_token stop);

}  // namespace portitor::kube
