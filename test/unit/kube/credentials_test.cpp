#include "catch.hpp"
#include "files.hpp"

#include <portitor/kube/credentials.hpp>

#include <boost/beast/core/detail/base64.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
using portitor::test::environment_variable;
using portitor::test::temp_folder;

namespace {

const std::string ca_pem = "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n";
const std::string client_pem = "-----BEGIN CERTIFICATE-----\nCLIENT\n-----END CERTIFICATE-----\n";
const std::string key_pem = "-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END PRIVATE KEY-----\n";

std::string base64(const std::string& text)
{
    namespace codec = boost::beast::detail::base64;
    std::string out(codec::encoded_size(text.size()), '\0');
    out.resize(codec::encode(out.data(), text.data(), text.size()));
    return out;
}

// A kubeconfig with one context of these clusters' and users' fields, each a line with 6 spaces before it.
std::string kubeconfig(const std::string& cluster, const std::string& user)
{
    return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
           "contexts:\n- name: here\n  context: {cluster: c, user: u}\n"
           "clusters:\n- name: c\n  cluster:\n      server: https://10.0.0.1:6443\n" +
           cluster + "users:\n- name: u\n  user:\n      unknown: field\n" + user;
}

struct fixture
{
    temp_folder folder;

    result<connection_config> load(const std::string& text, const std::string& context = "")
    {
        return load_kubeconfig(folder.write("config", text), context);
    }

    connection_config loaded(const std::string& text, const std::string& context = "")
    {
        auto read = load(text, context);
        INFO(read.error().message());
        REQUIRE(read.has_value());
        return *read;
    }

    std::string complaint(const std::string& text, const std::string& context = "")
    {
        const auto read = load(text, context);
        return read ? "no error" : read.error().message();
    }
};

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("inline certificates and a token are read", "[kube][credentials]")
{
    fixture f;
    auto read = f.loaded(kubeconfig(
        "      certificate-authority-data: " + base64(ca_pem) + "\n      tls-server-name: kubernetes\n",
        "      client-certificate-data: " + base64(client_pem) +
            "\n      client-key-data: " + base64(key_pem) + "\n      token: tok-1\n"
    ));
    CHECK(read.server.to_string() == "https://10.0.0.1:6443");
    CHECK(read.tls.ca == ca_pem);
    CHECK(read.tls.certificate == client_pem);
    CHECK(read.tls.private_key == key_pem);
    CHECK(read.tls.server_name == "kubernetes");
    CHECK(read.token.value() == "tok-1");
}

TEST_CASE("relative paths are those of the file, absolute ones stay", "[kube][credentials]")
{
    fixture f;
    f.folder.write("pki/ca.crt", ca_pem);
    f.folder.write("pki/token", "from file\n");
    const std::string absolute = f.folder.write("elsewhere.key", key_pem);
    f.folder.write("client.crt", client_pem);
    auto read = f.loaded(kubeconfig(
        "      certificate-authority: pki/ca.crt\n",
        "      client-certificate: ./client.crt\n      client-key: " + absolute +
            "\n      tokenFile: pki/token\n"
    ));
    CHECK(read.tls.ca == ca_pem);
    CHECK(read.tls.certificate == client_pem);
    CHECK(read.tls.private_key == key_pem);
    CHECK(read.token.value() == "from file");
}

TEST_CASE("inline data goes before a file, and a token before its file", "[kube][credentials]")
{
    fixture f;
    auto read = f.loaded(kubeconfig(
        "      certificate-authority: no-such-file\n      certificate-authority-data: " + base64(ca_pem) +
            "\n",
        "      tokenFile: no-such-file\n      token: tok-1\n"
    ));
    CHECK(read.tls.ca == ca_pem);
    CHECK(read.token.value() == "tok-1");
}

TEST_CASE("a kubeconfig may have no credentials at all", "[kube][credentials]")
{
    fixture f;
    auto read = f.loaded(kubeconfig("", ""));
    CHECK(read.tls.ca.empty());
    CHECK(read.tls.certificate.empty());
    CHECK(read.token.value().empty());
}

TEST_CASE("the context is the one asked for, else the current one", "[kube][credentials]")
{
    const std::string text = "current-context: b\n"
                             "contexts:\n"
                             "- {name: a, context: {cluster: ca, user: ua}}\n"
                             "- {name: b, context: {cluster: cb, user: ub}}\n"
                             "- {name: lost-cluster, context: {cluster: none, user: ub}}\n"
                             "- {name: lost-user, context: {cluster: cb, user: none}}\n"
                             "clusters:\n"
                             "- {name: ca, cluster: {server: 'https://a'}}\n"
                             "- {name: cb, cluster: {server: 'https://b'}}\n"
                             "users:\n"
                             "- {name: ua, user: {token: ta}}\n"
                             "- {name: ub, user: {token: tb}}\n";
    fixture f;
    CHECK(f.loaded(text).server.host == "b");
    CHECK(f.loaded(text).token.value() == "tb");
    CHECK(f.loaded(text, "a").server.host == "a");
    CHECK(f.loaded(text, "a").token.value() == "ta");
    CHECK(has(f.complaint(text, "c"), "no context \"c\""));
    CHECK(has(f.complaint(text, "lost-cluster"), "no cluster \"none\""));
    CHECK(has(f.complaint(text, "lost-user"), "no user \"none\""));
    CHECK(has(f.complaint("kind: Config\n"), "no context \"\""));
}

TEST_CASE("what is not supported is refused by name", "[kube][credentials]")
{
    fixture f;
    CHECK(has(f.complaint(kubeconfig("", "      exec: {command: aws}\n")), "user.exec"));
    CHECK(has(f.complaint(kubeconfig("", "      auth-provider: {name: gcp}\n")), "user.auth-provider"));
    CHECK(has(f.complaint(kubeconfig("", "      username: admin\n")), "user.username"));
    CHECK(has(f.complaint(kubeconfig("", "      password: hunter2\n")), "user.password"));
    CHECK(has(f.complaint(kubeconfig("      proxy-url: http://proxy\n", "")), "proxy-url"));
    CHECK(
        has(f.complaint(kubeconfig("      insecure-skip-tls-verify: true\n", "")), "insecure-skip-tls-verify")
    );
    CHECK(f.complaint(kubeconfig("      insecure-skip-tls-verify: false\n", "")) == "no error");
}

TEST_CASE("a server that cannot be used is refused", "[kube][credentials]")
{
    fixture f;
    const auto with_server = [](const std::string& server) {
        std::string text = kubeconfig("", "");
        return text.replace(text.find("https://10.0.0.1:6443"), 21, server);
    };
    CHECK(has(f.complaint(with_server("''")), "cluster.server"));
    CHECK(has(f.complaint(with_server("10.0.0.1:6443")), "cluster.server"));
    CHECK(has(f.complaint(with_server("https://rancher/k8s/clusters/c-1")), "path"));
    CHECK(f.complaint(with_server("https://10.0.0.1:6443/")) == "no error");
    CHECK(f.loaded(with_server("https://[fd00::1]:6443")).server.host == "fd00::1");
}

TEST_CASE("a file that is missing or no kubeconfig is told by its path", "[kube][credentials]")
{
    fixture f;
    const auto missing = load_kubeconfig(f.folder.path("none"), "");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().code() == errc::not_found);
    CHECK(has(missing.error().message(), f.folder.path("none")));
    for (const char* text : {"", "just text", "- a\n- b\n", "a: [\n", "contexts: here\ncurrent-context: x\n"})
    {
        CAPTURE(text);
        const auto read = f.load(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::invalid);
        CHECK(has(read.error().message(), f.folder.path("config")));
    }
}

TEST_CASE("a certificate file that cannot be read is named", "[kube][credentials]")
{
    fixture f;
    const std::string told = f.complaint(kubeconfig("      certificate-authority: pki/none.crt\n", ""));
    CHECK(has(told, "certificate-authority"));
    CHECK(has(told, "pki/none.crt"));
}

TEST_CASE("no error holds key material", "[kube][credentials]")
{
    fixture f;
    for (const std::string& text :
         {kubeconfig("", "      client-key-data: S3CR3T-no-base64\n"),
          kubeconfig("", "      client-key-data: " + base64("S3CR3T") + "\n"),
          kubeconfig("", "      token: S3CR3T\n      exec: {command: S3CR3T}\n"),
          kubeconfig("", "      password: S3CR3T\n"),
          kubeconfig("", "      token: S3CR3T: S3CR3T\n"),
          kubeconfig("", "      token: S3CR3T\n    x: y\n"),
          std::string("S3CR3T"),
          std::string("current-context: x\ncontexts: [S3CR3T]\n"),
          std::string("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
                      "clusters: [{name: c, cluster: {server: 'https://me:S3CR3T@host'}}]\n")})
    {
        CAPTURE(text);
        const std::string told = f.complaint(text);
        CAPTURE(told);
        CHECK(told != "no error");
        CHECK_FALSE(has(told, "S3CR3T"));
        CHECK_FALSE(has(told, base64("S3CR3T")));
    }
}

TEST_CASE("base64 without its padding is read, or refused, within bounds", "[kube][credentials]")
{
    fixture f;
    for (std::size_t extra = 0; extra < 6; ++extra)
    {
        const std::string pem = ca_pem + std::string(extra, '\n');
        std::string packed = base64(pem);
        while (packed.back() == '=')
            packed.pop_back();
        CHECK(f.loaded(kubeconfig("      certificate-authority-data: " + packed + "\n", "")).tls.ca == pem);
    }
}

TEST_CASE(
    "a token file is read again when its token has expired, and a failing read keeps the old one",
    "[kube][credentials]"
)
{
    fixture f;
    const std::string path = f.folder.write("token", " one\n");
    bearer_token token = bearer_token::from_file(path);
    CHECK(token.value() == "one");
    f.folder.write("token", "two\n");
    CHECK(token.value() == "one");  // for up to a minute
    token.expire();
    CHECK(token.value() == "two");
    std::filesystem::remove(path);
    token.expire();
    CHECK(token.value() == "two");
    f.folder.write("token", "three");
    token.expire();
    CHECK(token.value() == "three");
}

TEST_CASE("a token file that is missing at first is no token", "[kube][credentials]")
{
    fixture f;
    bearer_token token = bearer_token::from_file(f.folder.path("token"));
    CHECK(token.value().empty());
    f.folder.write("token", "late");
    token.expire();
    CHECK(token.value() == "late");
    bearer_token fixed = bearer_token::fixed("always");
    fixed.expire();
    CHECK(fixed.value() == "always");
}

TEST_CASE("outside a pod the user is told how to reach a cluster", "[kube][credentials]")
{
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
    const auto read = load_connection("", "");
    REQUIRE_FALSE(read.has_value());
    CHECK(has(read.error().message(), "--kubeconfig"));
    fixture f;
    CHECK(load_connection(f.folder.write("config", kubeconfig("", "")), "here").has_value());
}
