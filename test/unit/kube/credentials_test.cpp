#include "certificates.hpp"
#include "credentials_world.hpp"

#include <portitor/kube/credentials.hpp>

#include <boost/asio/co_spawn.hpp>

#include <optional>
#include <sys/stat.h>
#include <thread>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("what a kubeconfig says is what is shown", "[kube][credentials]")
{
    credentials_world w;
    const auto own = w.loaded(kubeconfig(
        "      certificate-authority-data: " + base64(ca_pem) + "\n      tls-server-name: kubernetes\n",
        "      client-certificate-data: " + base64(client_pem) +
            "\n      client-key-data: " + base64(key_pem) + "\n      token: tok-1\n"
    ));
    CHECK(own->server().to_string() == "https://10.0.0.1:6443");
    const auto shown = w.current(*own);
    CHECK(shown.bearer_token == "tok-1");
    CHECK(shown.tls->ca == ca_pem);
    CHECK(shown.tls->certificate == client_pem);
    CHECK(shown.tls->private_key == key_pem);
    CHECK(shown.tls->server_name == "kubernetes");
    own->expire();
    w.time.advance(std::chrono::hours(1));
    const auto later = w.current(*own);
    CHECK(later.bearer_token == "tok-1");
    CHECK(later.tls == shown.tls);
}

TEST_CASE("a token file is read again every minute, and at once when it is refused", "[kube][credentials]")
{
    credentials_world w;
    w.folder.write("token", " one\n");
    const auto own = w.loaded(kubeconfig("", "      tokenFile: token\n"));
    CHECK(w.token(*own) == "one");
    w.folder.write("token", "two\n");
    w.time.advance(seconds(59));
    CHECK(w.token(*own) == "one");
    w.time.advance(seconds(1));
    CHECK(w.token(*own) == "two");
    w.folder.write("token", "three\n");
    CHECK(w.token(*own) == "two");
    own->expire();
    CHECK(w.token(*own) == "three");
}

TEST_CASE("a token file that cannot be used keeps the old token", "[kube][credentials]")
{
    credentials_world w;
    const std::string path = w.folder.write("token", "one");
    const auto own = w.loaded(kubeconfig("", "      tokenFile: token\n"));
    for (const std::string& bad : {std::string(), std::string(" \n"), std::string("two\nlines")})
    {
        w.folder.write("token", bad);
        own->expire();
        CHECK(w.token(*own) == "one");
    }
    std::filesystem::remove(path);
    own->expire();
    CHECK(w.token(*own) == "one");
    w.folder.write("token", "late");
    CHECK(w.token(*own) == "one");
    w.time.advance(seconds(60));
    CHECK(w.token(*own) == "late");
}

TEST_CASE("a CA file that has changed gives other settings, and only then", "[kube][credentials]")
{
    credentials_world w;
    const std::string path = w.folder.write("ca.crt", ca_pem);
    const auto own = w.loaded(kubeconfig("      certificate-authority: ca.crt\n", ""));
    const auto first = w.current(*own).tls;
    const auto after_a_minute = [&] {
        w.time.advance(seconds(60));
        return w.current(*own).tls;
    };
    w.folder.write("ca.crt", ca_pem);
    CHECK(after_a_minute() == first);
    w.folder.write("ca.crt", "");
    CHECK(after_a_minute() == first);
    w.folder.write("ca.crt", "no PEM");
    CHECK(after_a_minute() == first);
    w.folder.write("ca.crt", ca_pem.substr(0, 40));
    CHECK(after_a_minute() == first);
    std::filesystem::remove(path);
    CHECK(after_a_minute() == first);
    w.folder.write("ca.crt", client_pem);
    const auto second = after_a_minute();
    CHECK(second != first);
    CHECK(second->ca == client_pem);
    CHECK(first->ca == ca_pem);
    w.folder.write("ca.crt", ca_pem);
    own->expire();
    CHECK(w.current(*own).tls->ca == ca_pem);
}

TEST_CASE("a client certificate is replaced together with its key", "[kube][credentials]")
{
    credentials_world w;
    const authority ca("test CA");
    const auto one = ca.issue("one", "");
    const auto two = ca.issue("two", "");
    w.folder.write("client.crt", one.certificate);
    w.folder.write("client.key", one.key);
    const auto own =
        w.loaded(kubeconfig("", "      client-certificate: client.crt\n      client-key: client.key\n"));
    const auto first = w.current(*own).tls;
    CHECK(first->certificate == one.certificate);
    w.folder.write("client.crt", two.certificate);
    w.time.advance(seconds(60));
    CHECK(w.current(*own).tls == first);  // the key is still the old one's
    w.folder.write("client.key", two.key);
    w.time.advance(seconds(60));
    const auto second = w.current(*own).tls;
    CHECK(second != first);
    CHECK(second->certificate == two.certificate);
    CHECK(second->private_key == two.key);
}

TEST_CASE("a certificate file is replaced where its key stands inline", "[kube][credentials]")
{
    credentials_world w;
    w.folder.write("client.crt", client_pem);
    const auto own = w.loaded(kubeconfig(
        "", "      client-certificate: client.crt\n      client-key-data: " + base64(key_pem) + "\n"
    ));
    CHECK(w.current(*own).tls->certificate == client_pem);
    w.folder.write("client.crt", ca_pem);
    own->expire();
    CHECK(w.current(*own).tls->certificate == ca_pem);
    CHECK(w.current(*own).tls->private_key == key_pem);
}

TEST_CASE("a volume that hangs delays a request by five seconds, and nothing else", "[kube][credentials]")
{
    credentials_world w;
    const std::string path = w.folder.write("token", "one");
    const auto own = w.loaded(kubeconfig("", "      tokenFile: token\n"));
    // A named pipe without a writer: opening it blocks.
    std::filesystem::remove(path);
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    own->expire();
    std::optional<kube::identity> got;
    boost::asio::co_spawn(w.context, own->current(), [&](std::exception_ptr, result<kube::identity> value) {
        got = value ? *value : kube::identity{};
    });
    const auto before = std::chrono::steady_clock::now();
    w.context.run_for(milliseconds(50));
    CHECK(std::chrono::steady_clock::now() - before < seconds(1));
    CHECK_FALSE(got.has_value());
    w.time.advance(seconds(5));
    w.context.run_for(milliseconds(50));
    REQUIRE(got.has_value());
    CHECK(got->bearer_token == "one");
    CHECK(w.token(*own) == "one");  // at once: nobody waits for the same read twice
    own->expire();
    CHECK(w.token(*own) == "one");
    std::ofstream(path) << "two";
    for (int i = 0; i < 200 && w.token(*own) != "two"; ++i)
    {
        std::this_thread::sleep_for(milliseconds(10));
        w.context.restart();
        w.context.poll();
    }
    CHECK(w.token(*own) == "two");
}

TEST_CASE("many at a time share one reading", "[kube][credentials]")
{
    credentials_world w;
    w.folder.write("token", "one");
    const auto own = w.loaded(kubeconfig("", "      tokenFile: token\n"));
    w.folder.write("token", "two");
    own->expire();
    int answered = 0;
    for (int i = 0; i < 10; ++i)
    {
        boost::asio::co_spawn(
            w.context,
            own->current(),
            [&](std::exception_ptr, result<kube::identity> value) {
                answered += value && value->bearer_token == "two";
            }
        );
    }
    w.context.run_for(seconds(5));
    CHECK(answered == 10);
}
