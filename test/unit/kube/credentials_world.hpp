#pragma once

#include "catch.hpp"
#include "files.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"

#include <portitor/kube/credentials.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/detail/base64.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <sys/wait.h>

namespace portitor::test {

inline const std::string ca_pem = "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n";
inline const std::string client_pem = "-----BEGIN CERTIFICATE-----\nCLIENT\n-----END CERTIFICATE-----\n";
inline const std::string key_pem = "-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END PRIVATE KEY-----\n";

inline std::string base64(const std::string& text)
{
    namespace codec = boost::beast::detail::base64;
    std::string out(codec::encoded_size(text.size()), '\0');
    out.resize(codec::encode(out.data(), text.data(), text.size()));
    return out;
}

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// A kubeconfig with one context of these clusters' and users' fields, each a line with 6 spaces before it.
inline std::string kubeconfig(const std::string& cluster, const std::string& user)
{
    return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
           "contexts:\n- name: here\n  context: {cluster: c, user: u}\n"
           "clusters:\n- name: c\n  cluster:\n      server: https://10.0.0.1:6443\n" +
           cluster + "users:\n- name: u\n  user:\n      unknown: field\n" + user;
}

/// A folder for the files, a context to run on, and time that stands still.
struct credentials_world
{
    temp_folder folder;
    manual_timekeeper time;
    boost::asio::io_context context;

    /// Writes an executable shell script and returns its path.
    std::string script(const std::string& name, const std::string& body) const
    {
        const std::string path = folder.write(name, "#!/bin/sh\n" + body);
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path;
    }

    std::string content(const std::string& name) const
    {
        std::ostringstream text;
        text << std::ifstream(folder.path(name)).rdbuf();
        return text.str();
    }

    result<std::unique_ptr<kube::credentials>>
    load(const std::string& text, const std::string& context_name = "")
    {
        return kube::load_kubeconfig(
            context.get_executor(), time, folder.write("config", text), context_name
        );
    }

    std::unique_ptr<kube::credentials> loaded(const std::string& text)
    {
        auto read = load(text);
        INFO(read.error().message());
        REQUIRE(read.has_value());
        return std::move(*read);
    }

    kube::identity current(kube::credentials& of)
    {
        const auto got = run(context, of.current());
        INFO(got.error().message());
        REQUIRE(got.has_value());
        REQUIRE(got->tls != nullptr);
        return *got;
    }

    std::string token(kube::credentials& of) { return current(of).bearer_token; }

    error failure(kube::credentials& of)
    {
        const auto got = run(context, of.current());
        REQUIRE_FALSE(got.has_value());
        return got.error();
    }
};

/// Whether a process runs: it is neither gone nor a zombie that nobody has reaped.
inline bool is_running(const std::string& pid)
{
    std::ostringstream text;
    text << std::ifstream("/proc/" + pid + "/stat").rdbuf();
    const auto end_of_name = text.str().rfind(')');
    return end_of_name != std::string::npos && text.str().substr(end_of_name, 3) != ") Z";
}

/// Whether every child process has been reaped.
inline bool no_children()
{
    siginfo_t info{};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

}  // namespace portitor::test
