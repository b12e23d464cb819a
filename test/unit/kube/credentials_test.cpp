#include "catch.hpp"

#include <portitor/kube/credentials.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace portitor;
using namespace portitor::kube;

namespace {

struct folder
{
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("portitor-test-" + std::to_string(::getpid()));
    folder() { std::filesystem::create_directories(path); }
    ~folder() { std::filesystem::remove_all(path); }

    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream(path / name) << text;
        return (path / name).string();
    }
};

std::string config(const std::string& cluster, const std::string& user)
{
    return "current-context: one\n"
           "contexts: [{name: one, context: {cluster: c, user: u}}, {name: two, context: {cluster: d, user: "
           "u}}]\n"
           "clusters: [{name: c, cluster: {" +
           cluster +
           "}}, {name: d, cluster: {server: 'https://other:6443'}}]\n"
           "users: [{name: u, user: {" +
           user + "}}]\n";
}

}  // namespace

TEST_CASE("a kubeconfig with a token and files beside it is read", "[kube][credentials]")
{
    folder in;
    in.write("ca.crt", "-----BEGIN CERTIFICATE-----\n");
    in.write("token", "from-a-file\n");
    const auto path = in.write(
        "config",
        config(
            "server: 'https://10.0.0.1:6443', certificate-authority: ca.crt, tls-server-name: kubernetes",
            "tokenFile: token"
        )
    );
    auto read = load_kubeconfig(path, "");
    REQUIRE(read.has_value());
    CHECK(read->server == http::origin{"https", "10.0.0.1", 6443});
    CHECK(read->tls.ca == "-----BEGIN CERTIFICATE-----\n");
    CHECK(read->tls.server_name == "kubernetes");
    CHECK(read->token.value() == "from-a-file");
    CHECK(load_kubeconfig(path, "two")->server.host == "other");
}

TEST_CASE("a renewed token is read again on demand, and a lost file keeps the old one", "[kube][credentials]")
{
    folder in;
    const auto path = in.write("token", "old");
    bearer_token token = bearer_token::from_file(path);
    CHECK(token.value() == "old");
    in.write("token", " new\n");
    CHECK(token.value() == "old");
    token.expire();
    CHECK(token.value() == "new");
    std::filesystem::remove(path);
    token.expire();
    CHECK(token.value() == "new");
}

TEST_CASE("what is not supported is refused by name, and secrets stay out of errors", "[kube][credentials]")
{
    folder in;
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"server: 'https://a'", "exec: {command: x}, token: planted", "exec"},
        {"server: 'https://a'", "username: me, password: planted", "username"},
        {"server: 'https://a', proxy-url: 'http://p'", "token: planted", "proxy-url"},
        {"server: 'https://a', insecure-skip-tls-verify: true", "token: planted", "insecure-skip-tls-verify"},
        {"server: 'a:1'", "token: planted", "server"},
        {"server: 'https://a', certificate-authority: none.crt", "token: planted", "none.crt"},
        {"server: 'https://a', certificate-authority-data: cGxhbnRlZA==",
         "token: planted",
         "certificate-authority"},
    };
    for (const auto& [cluster, user, word] : cases)
    {
        INFO(cluster << " / " << user);
        const auto read = load_kubeconfig(in.write("config", config(cluster, user)), "");
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().message().find(word) != std::string::npos);
        CHECK(read.error().message().find("planted") == std::string::npos);
    }
    CHECK_FALSE(
        load_kubeconfig(in.write("config", config("server: 'https://a'", "token: t")), "three").has_value()
    );
    CHECK_FALSE(load_kubeconfig((in.path / "absent").string(), "").has_value());
}
