#include "catch.hpp"
#include "certificates.hpp"
#include "credentials_world.hpp"
#include "kube/credential_source.hpp"

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::test;

namespace {

struct fixture
{
    temp_folder folder;

    result<credential_source> read(const std::string& text, const std::string& context = "")
    {
        return read_kubeconfig(folder.write("config", text), context);
    }

    credential_source good(const std::string& text, const std::string& context = "")
    {
        auto source = read(text, context);
        INFO(source.error().message());
        REQUIRE(source.has_value());
        return *source;
    }

    std::string complaint(const std::string& text, const std::string& context = "")
    {
        const auto source = read(text, context);
        if (source)
            return "no error";
        CHECK(source.error().code() == errc::invalid);
        CHECK(has(source.error().message(), folder.path("config")));
        return source.error().message();
    }
};

const std::string exec_start = "      exec:\n        apiVersion: client.authentication.k8s.io/v1\n";

}  // namespace

TEST_CASE("inline certificates and a token are read", "[kube][kubeconfig]")
{
    fixture f;
    const auto read = f.good(kubeconfig(
        "      certificate-authority-data: " + base64(ca_pem) + "\n      tls-server-name: kubernetes\n",
        "      client-certificate-data: " + base64(client_pem) +
            "\n      client-key-data: " + base64(key_pem) + "\n      token: tok-1\n"
    ));
    CHECK(read.server.to_string() == "https://10.0.0.1:6443");
    CHECK(read.ca.text == ca_pem);
    CHECK(read.certificate.text == client_pem);
    CHECK(read.private_key.text == key_pem);
    CHECK(read.server_name == "kubernetes");
    CHECK(read.token.text == "tok-1");
    for (const auto* each : {&read.ca, &read.certificate, &read.private_key, &read.token})
        CHECK(each->path.empty());
    CHECK_FALSE(read.plugin.has_value());
}

TEST_CASE("relative paths are those of the file, absolute ones stay", "[kube][kubeconfig]")
{
    fixture f;
    f.folder.write("pki/ca.crt", ca_pem);
    f.folder.write("pki/token", "from-file\n");
    const std::string absolute = f.folder.write("elsewhere.key", key_pem);
    f.folder.write("client.crt", client_pem);
    const auto read = f.good(kubeconfig(
        "      certificate-authority: pki/ca.crt\n",
        "      client-certificate: ./client.crt\n      client-key: " + absolute +
            "\n      tokenFile: pki/token\n"
    ));
    CHECK(read.ca.text == ca_pem);
    CHECK(read.ca.path == f.folder.path("pki/ca.crt"));
    CHECK(read.certificate.text == client_pem);
    CHECK(read.private_key.text == key_pem);
    CHECK(read.private_key.path == absolute);
    CHECK(read.token.text == "from-file");
}

TEST_CASE("a kubeconfig with a relative path finds its files after a change of folder", "[kube][kubeconfig]")
{
    fixture f;
    f.folder.write("ca.crt", ca_pem);
    f.folder.write("config", kubeconfig("      certificate-authority: ca.crt\n", ""));
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(f.folder.path(""));
    const auto read = read_kubeconfig("config", "");
    std::filesystem::current_path(before);
    REQUIRE(read.has_value());
    CHECK(std::filesystem::exists(read->ca.path));
}

TEST_CASE("inline data goes before a file", "[kube][kubeconfig]")
{
    fixture f;
    const std::string cluster =
        "      certificate-authority: no-such-file\n      certificate-authority-data: " + base64(ca_pem) +
        "\n";
    const auto read = f.good(kubeconfig(cluster, ""));
    CHECK(read.ca.text == ca_pem);
    CHECK(read.ca.path.empty());
}

TEST_CASE("a token file goes before a token, which stands in while it cannot be read", "[kube][kubeconfig]")
{
    fixture f;
    const std::string both = kubeconfig("", "      tokenFile: tok\n      token: tok-1\n");
    CHECK(f.good(both).token.text == "tok-1");
    f.folder.write("tok", "  \n");
    CHECK(f.good(both).token.text == "tok-1");
    f.folder.write("tok", "tok-2\n");
    CHECK(f.good(both).token.text == "tok-2");
}

TEST_CASE("a kubeconfig may have no credentials at all", "[kube][kubeconfig]")
{
    fixture f;
    for (const char* user :
         {"", "      token: ''\n      exec: null\n      username: ''\n      as-groups: []\n"})
    {
        const auto read = f.good(kubeconfig("      proxy-url: ''\n", user));
        CHECK(read.ca.text.empty());
        CHECK(read.certificate.text.empty());
        CHECK(read.token.text.empty());
    }
}

TEST_CASE("the context is the one asked for, else the current one", "[kube][kubeconfig]")
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
    CHECK(f.good(text).server.host == "b");
    CHECK(f.good(text).token.text == "tb");
    CHECK(f.good(text, "a").server.host == "a");
    CHECK(f.good(text, "a").token.text == "ta");
    CHECK(has(f.complaint(text, "c"), "no context \"c\""));
    CHECK(has(f.complaint(text, "lost-cluster"), "no cluster \"none\""));
    CHECK(has(f.complaint(text, "lost-user"), "no user \"none\""));
    CHECK(has(f.complaint("kind: Config\n"), "no context \"\""));
}

TEST_CASE("what is not supported is refused by name", "[kube][kubeconfig]")
{
    fixture f;
    const auto of_user = [&](const std::string& line) { return f.complaint(kubeconfig("", line)); };
    CHECK(has(of_user("      auth-provider: {name: gcp}\n"), "user.auth-provider"));
    CHECK(has(of_user("      username: admin\n"), "user.username"));
    CHECK(has(of_user("      password: hunter2\n"), "user.password"));
    CHECK(has(of_user("      as: root\n"), "user.as,"));
    CHECK(has(of_user("      as-uid: abc\n"), "user.as-uid"));
    CHECK(has(of_user("      as-groups: [system:masters]\n"), "user.as-groups"));
    CHECK(has(of_user("      as-user-extra: {a: [b]}\n"), "user.as-user-extra"));
    CHECK(has(f.complaint(kubeconfig("      proxy-url: http://proxy\n", "")), "cluster.proxy-url"));
    const auto skipping = [&](const std::string& value) {
        return f.complaint(kubeconfig("      insecure-skip-tls-verify: " + value + "\n", ""));
    };
    CHECK(has(skipping("true"), "cluster.insecure-skip-tls-verify"));
    CHECK(has(skipping("sure"), "cluster.insecure-skip-tls-verify"));
    CHECK(skipping("false") == "no error");
}

TEST_CASE("a server that cannot be used is refused", "[kube][kubeconfig]")
{
    fixture f;
    const auto with_server = [](const std::string& server) {
        std::string text = kubeconfig("", "");
        return text.replace(text.find("https://10.0.0.1:6443"), 21, server);
    };
    CHECK(has(f.complaint(with_server("''")), "cluster.server"));
    CHECK(has(f.complaint(with_server("[a]")), "cluster.server"));
    CHECK(has(f.complaint(with_server("10.0.0.1:6443")), "cluster.server"));
    CHECK(has(f.complaint(with_server("https://rancher/k8s/clusters/c-1")), "path"));
    CHECK(f.complaint(with_server("https://10.0.0.1:6443/")) == "no error");
    CHECK(f.good(with_server("https://[fd00::1]:6443")).server.host == "fd00::1");
}

TEST_CASE("a file that is missing or no kubeconfig is told by its path", "[kube][kubeconfig]")
{
    fixture f;
    for (const std::string& unreadable : {f.folder.path("none"), f.folder.path("")})
    {
        const auto read = read_kubeconfig(unreadable, "");
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::not_found);
        CHECK(has(read.error().message(), unreadable));
    }
    for (const char* text : {"", "just text", "- a\n- b\n", "a: [\n", "contexts: here\ncurrent-context: x\n"})
    {
        CAPTURE(text);
        CHECK(f.complaint(text) != "no error");
    }
    CHECK(has(f.complaint("kind: Config\nusers: [\n"), "config:3: "));
}

TEST_CASE("a file that cannot be used is named with its field", "[kube][kubeconfig]")
{
    fixture f;
    f.folder.write("empty", "");
    f.folder.write("half.crt", ca_pem.substr(0, ca_pem.size() / 2));
    const auto of_cluster = [&](const std::string& line) { return f.complaint(kubeconfig(line, "")); };
    const auto of_user = [&](const std::string& line) { return f.complaint(kubeconfig("", line)); };
    const std::string missing = of_cluster("      certificate-authority: pki/none.crt\n");
    CHECK(has(missing, "cluster.certificate-authority"));
    CHECK(has(missing, "pki/none.crt"));
    CHECK(has(of_cluster("      certificate-authority: half.crt\n"), "cluster.certificate-authority"));
    CHECK(has(of_cluster("      certificate-authority: [a]\n"), "cluster.certificate-authority"));
    CHECK(has(of_user("      client-certificate: none.crt\n"), "user.client-certificate"));
    CHECK(has(of_user("      tokenFile: none\n"), "user.tokenFile"));
    CHECK(has(of_user("      tokenFile: empty\n"), "user.tokenFile"));
}

TEST_CASE("a client certificate and its key go together", "[kube][kubeconfig]")
{
    fixture f;
    const authority ca("test CA");
    const auto one = ca.issue("one", "");
    const auto other = ca.issue("other", "");
    const auto user = [](const std::string& certificate, const std::string& key) {
        const std::string first =
            certificate.empty() ? "" : "      client-certificate-data: " + base64(certificate) + "\n";
        const std::string second = key.empty() ? "" : "      client-key-data: " + base64(key) + "\n";
        return kubeconfig("", first + second);
    };
    CHECK(f.complaint(user(one.certificate, one.key)) == "no error");
    CHECK(has(f.complaint(user(one.certificate, other.key)), "user.client-key"));
    CHECK(has(f.complaint(user(one.certificate, "")), "only one of"));
    CHECK(has(f.complaint(user("", one.key)), "only one of"));
}

TEST_CASE("no error holds key material", "[kube][kubeconfig]")
{
    fixture f;
    f.folder.write("secret-file", "S3CR3T with spaces");
    const std::string names_exec = "        command: x\n";
    for (const std::string& text :
         {kubeconfig("", "      client-key-data: S3CR3T-no-base64\n"),
          kubeconfig("", "      client-key-data: " + base64("S3CR3T") + "\n"),
          kubeconfig("", "      client-key-data: " + base64(key_pem) + "\n"),
          kubeconfig("", "      token: S3CR3T\n      exec: {command: S3CR3T}\n"),
          kubeconfig("", "      token: S3CR3T with spaces\n"),
          kubeconfig("", "      token: [S3CR3T]\n"),
          kubeconfig("", "      token: *S3CR3T\n"),
          kubeconfig("", "      token: \"\\S3CR3T\"\n"),
          kubeconfig("", "      token: \"S3CR3T\n"),
          kubeconfig("", "      token: !<S3CR3T\n"),
          kubeconfig("", "      tokenFile: secret-file\n"),
          kubeconfig("", "      client-key: secret-file\n"),
          kubeconfig("", "      password: S3CR3T\n"),
          kubeconfig("", "      token: S3CR3T: S3CR3T\n"),
          kubeconfig("", "      token: S3CR3T\n    x: y\n"),
          kubeconfig("", exec_start + names_exec + "        args: {a: S3CR3T}\n"),
          kubeconfig("", exec_start + names_exec + "        args: [{a: S3CR3T}]\n"),
          kubeconfig("", exec_start + names_exec + "        env: S3CR3T\n"),
          kubeconfig("", exec_start + names_exec + "        env: [S3CR3T]\n"),
          kubeconfig("", exec_start + names_exec + "        env: [{value: S3CR3T}]\n"),
          kubeconfig("", exec_start + names_exec + "        env: [{name: a, value: [S3CR3T]}]\n"),
          std::string("S3CR3T"),
          std::string("%S3CR3T S3CR3T\n---\n"),
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

TEST_CASE("base64 may be wrapped and without its padding", "[kube][kubeconfig]")
{
    fixture f;
    for (std::size_t extra = 0; extra < 6; ++extra)
    {
        const std::string pem = ca_pem + std::string(extra, '\n');
        std::string packed = base64(pem);
        while (packed.back() == '=')
            packed.pop_back();
        packed.insert(20, "\n        ");
        const std::string cluster = "      certificate-authority-data: |\n        " + packed + "\n";
        CHECK(f.good(kubeconfig(cluster, "")).ca.text == pem);
    }
}

TEST_CASE("an exec plugin is read", "[kube][kubeconfig]")
{
    fixture f;
    const auto read = f.good(kubeconfig(
        "",
        exec_start + "        command: bin/plugin\n        args: [get, 'a b', 1]\n"
                     "        env:\n        - {name: PLUGIN_MODE, value: quick}\n"
                     "        installHint: get it there\n        interactiveMode: IfAvailable\n"
    ));
    REQUIRE(read.plugin.has_value());
    const exec_plugin& plugin = *read.plugin;
    CHECK(plugin.command.program == f.folder.path("bin/plugin"));
    CHECK(plugin.name == "bin/plugin");
    REQUIRE(plugin.command.arguments.size() == 3);
    CHECK(plugin.command.arguments[1] == "a b");
    CHECK(plugin.command.arguments[2] == "1");
    CHECK(plugin.api_version == "client.authentication.k8s.io/v1");
    CHECK(plugin.install_hint == "get it there");
    CHECK(plugin.limits.time == std::chrono::seconds(60));
    CHECK(plugin.limits.output == 1024 * 1024);
    const auto command = [&](const std::string& name) {
        return f.good(kubeconfig("", exec_start + "        command: " + name + "\n")).plugin->command.program;
    };
    CHECK(command("aws") == "aws");
    CHECK(command("/opt/aws") == "/opt/aws");
}

TEST_CASE("an exec plugin that cannot be used is refused by its field", "[kube][kubeconfig]")
{
    fixture f;
    const auto told = [&](const std::string& text) { return f.complaint(kubeconfig("", text)); };
    const std::string start = exec_start + "        command: x\n";
    CHECK(told(start) == "no error");
    CHECK(told(start + "        args: null\n        env: null\n") == "no error");
    CHECK(has(told("      exec: plugin\n"), "user.exec"));
    CHECK(has(told(exec_start), "user.exec.command"));
    CHECK(has(told("      exec: {command: x}\n"), "user.exec.apiVersion"));
    CHECK(
        has(told("      exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}\n"),
            "user.exec.apiVersion")
    );
    const std::string interactive = told(start + "        interactiveMode: Always\n");
    CHECK(has(interactive, "user.exec.interactiveMode"));
    CHECK(has(interactive, "no terminal"));
    CHECK(has(told(start + "        interactiveMode: Sometimes\n"), "user.exec.interactiveMode"));
    CHECK(has(told(start + "        provideClusterInfo: maybe\n"), "user.exec.provideClusterInfo"));
    CHECK(has(told(start + "        args: x\n"), "user.exec.args"));
    CHECK(has(told(start + "        env: {a: b}\n"), "user.exec.env"));
    CHECK(has(told(start + "        env: [{name: a=b, value: c}]\n"), "user.exec.env"));
    CHECK(has(told(start + "      token: t\n"), "both user.exec and user.token"));
}
