#include "credentials_world.hpp"
#include "kube/credential_source.hpp"

#include <optional>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::test;

namespace {

// What the kubelet sets up in a pod.
struct pod
{
    temp_folder folder;
    std::string path = folder.path("serviceaccount");

    pod()
    {
        folder.write("serviceaccount/ca.crt", ca_pem);
        folder.write("serviceaccount/token", "tok-1\n");
    }

    result<credential_source> read(const std::string& host, const std::string& port)
    {
        const environment_variable host_set("KUBERNETES_SERVICE_HOST", host);
        const environment_variable port_set("KUBERNETES_SERVICE_PORT", port);
        return read_service_account(path);
    }

    std::string complaint(const std::string& host, const std::string& port)
    {
        const auto source = read(host, port);
        return source ? "no error" : source.error().message();
    }
};

}  // namespace

TEST_CASE("a pod finds its API server and its service account", "[kube][credentials]")
{
    pod p;
    const auto source = p.read("10.96.0.1", "443");
    REQUIRE(source.has_value());
    CHECK(source->server.to_string() == "https://10.96.0.1");
    CHECK(source->ca.text == ca_pem);
    CHECK(source->token.text == "tok-1");
    CHECK(p.read("kubernetes.default.svc", "6443")->server.authority() == "kubernetes.default.svc:6443");
}

TEST_CASE("the API server of a pod may have an IPv6 address", "[kube][credentials]")
{
    pod p;
    const auto source = p.read("fd00:10:96::1", "6443");
    REQUIRE(source.has_value());
    CHECK(source->server.host == "fd00:10:96::1");
    CHECK(source->server.to_string() == "https://[fd00:10:96::1]:6443");
}

TEST_CASE("an environment that is no pod's is refused by the variable's name", "[kube][credentials]")
{
    pod p;
    for (const char* port : {"0", "65536", "-1", "", "443x", "tcp://10.0.0.1:443", " 443", "4294967739"})
    {
        CAPTURE(port);
        CHECK(has(p.complaint("10.96.0.1", port), "KUBERNETES_SERVICE_PORT"));
    }
    CHECK(p.complaint("10.96.0.1", "1") == "no error");
    CHECK(p.complaint("10.96.0.1", "65535") == "no error");
    for (const char* host : {"", "a/b", "a?b", "10.0.0.1:443", "me@host", "a b"})
    {
        CAPTURE(host);
        CHECK(has(p.complaint(host, "443"), "KUBERNETES_SERVICE_HOST"));
    }
}

TEST_CASE("a service account without a CA or a token is refused by the file's name", "[kube][credentials]")
{
    for (const char* name : {"ca.crt", "token"})
    {
        CAPTURE(name);
        pod p;
        const std::string path = p.folder.write(std::string("serviceaccount/") + name, " \n");
        CHECK(has(p.complaint("a", "443"), path));
        std::filesystem::remove(path);
        CHECK(has(p.complaint("a", "443"), path));
    }
}

TEST_CASE("a pod's token and CA are read again every minute", "[kube][credentials]")
{
    pod p;
    credentials_world w;
    auto source = p.read("10.96.0.1", "443");
    REQUIRE(source.has_value());
    const auto own = make_credentials(w.context.get_executor(), w.time, *source);
    const auto first = w.current(*own);
    CHECK(first.bearer_token == "tok-1");
    p.folder.write("serviceaccount/token", "tok-2\n");
    p.folder.write("serviceaccount/ca.crt", ca_pem + ca_pem);
    w.time.advance(std::chrono::seconds(59));
    CHECK(w.token(*own) == "tok-1");
    w.time.advance(std::chrono::seconds(1));
    const auto second = w.current(*own);
    CHECK(second.bearer_token == "tok-2");
    CHECK(second.tls != first.tls);
    CHECK(second.tls->ca == ca_pem + ca_pem);
}

TEST_CASE("outside a pod the user is told how to reach a cluster", "[kube][credentials]")
{
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    credentials_world w;
    const auto executor = w.context.get_executor();
    const auto missing = load_credentials(executor, w.time, "", "");
    REQUIRE_FALSE(missing.has_value());
    CHECK(has(missing.error().message(), "--kubeconfig"));
    CHECK_FALSE(load_in_cluster(executor, w.time).has_value());
    const std::string path = w.folder.write("config", kubeconfig("", ""));
    CHECK(load_credentials(executor, w.time, path, "here").has_value());
}
