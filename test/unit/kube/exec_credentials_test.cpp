#include "certificates.hpp"
#include "credentials_world.hpp"
#include "kube/credential_source.hpp"

#include <portitor/core/clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace json = boost::json;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

std::string
exec_user(const std::string& command, const std::string& more = "", const std::string& version = v1)
{
    return kubeconfig(
        "", "      exec:\n        apiVersion: " + version + "\n        command: " + command + "\n" + more
    );
}

std::string print(const std::string& status, const std::string& version = v1)
{
    return "cat <<END\n{\"apiVersion\":\"" + version + "\",\"kind\":\"ExecCredential\",\"status\":" + status +
           "}\nEND\n";
}

struct plugin_world : credentials_world
{
    /// A plugin that counts its runs in a file, then does this.
    std::unique_ptr<credentials> with_plugin(const std::string& body)
    {
        rewrite(body);
        return loaded(exec_user("./plugin"));
    }

    void rewrite(const std::string& body)
    {
        script("plugin", "echo $$ >>" + folder.path("runs") + "\n" + body);
    }

    /// The process ids of the runs so far.
    std::vector<std::string> runs() const
    {
        std::vector<std::string> out;
        std::ifstream in(folder.path("runs"));
        for (std::string line; std::getline(in, line);)
            out.push_back(line);
        return out;
    }

    /// Lets the context run until the plugin does.
    std::string started()
    {
        context.restart();
        const auto until = std::chrono::steady_clock::now() + seconds(5);
        while (runs().empty() && std::chrono::steady_clock::now() < until)
        {
            context.run_for(milliseconds(10));
            context.restart();
        }
        REQUIRE(runs().size() == 1);
        return runs().front();
    }
};

std::string token_until(const std::string& token, seconds from_now)
{
    const std::string when = to_rfc3339(std::chrono::system_clock::now() + from_now);
    return print("{\"token\":\"" + token + "\",\"expirationTimestamp\":\"" + when + "\"}");
}

}  // namespace

TEST_CASE("a plugin's token is shown", "[kube][exec]")
{
    for (const std::string& version : {v1, v1 + "beta1"})
    {
        plugin_world w;
        w.script("plugin", print(R"({"token":"tok"})", version));
        const auto own = w.loaded(exec_user("./plugin", "", version));
        const auto shown = w.current(*own);
        CHECK(shown.bearer_token == "tok");
        CHECK(shown.tls->certificate.empty());
    }
}

TEST_CASE("a plugin gets its arguments, its environment and ours", "[kube][exec]")
{
    plugin_world w;
    const environment_variable own_variable("PORTITOR_TEST_OWN", "ours");
    const environment_variable overridden("PORTITOR_TEST_MODE", "ours");
    w.script(
        "bin/plugin",
        "echo \"$1 $2 $PORTITOR_TEST_OWN $PORTITOR_TEST_MODE\" >" + w.folder.path("seen") +
            "\nprintf %s \"$KUBERNETES_EXEC_INFO\" >" + w.folder.path("info") + "\n" +
            print(R"({"token":"t"})")
    );
    const auto own = w.loaded(exec_user(
        "bin/plugin", "        args: [get, token]\n        env: [{name: PORTITOR_TEST_MODE, value: theirs}]\n"
    ));
    CHECK(w.token(*own) == "t");
    CHECK(w.content("seen") == "get token ours theirs\n");
    const auto info = json::parse(w.content("info"));
    CHECK(
        info ==
        json::parse(R"({"apiVersion":")" + v1 + R"(","kind":"ExecCredential","spec":{"interactive":false}})")
    );
}

TEST_CASE("a plugin that asks for the cluster is told of it", "[kube][exec]")
{
    plugin_world w;
    w.folder.write("ca.crt", ca_pem);
    w.script(
        "plugin",
        "printf %s \"$KUBERNETES_EXEC_INFO\" >" + w.folder.path("info") + "\n" + print(R"({"token":"t"})")
    );
    const auto own = w.loaded(kubeconfig(
        "      certificate-authority: ca.crt\n      tls-server-name: kubernetes\n"
        "      extensions:\n"
        "      - {name: other, extension: {a: b}}\n"
        "      - name: client.authentication.k8s.io/exec\n"
        "        extension: {audience: '12', deep: [1, 2.5, true, null, text]}\n",
        "      exec: {apiVersion: " + v1 + ", command: ./plugin, provideClusterInfo: true}\n"
    ));
    CHECK(w.token(*own) == "t");
    const auto cluster = json::parse(w.content("info")).at("spec").at("cluster");
    CHECK(cluster.at("server") == "https://10.0.0.1:6443");
    CHECK(cluster.at("tls-server-name") == "kubernetes");
    CHECK(cluster.at("certificate-authority-data") == json::string(base64(ca_pem)));
    CHECK(cluster.at("config") == json::parse(R"({"audience":"12","deep":[1,2.5,true,null,"text"]})"));
}

TEST_CASE("a plugin without a path is looked up in PATH", "[kube][exec]")
{
    plugin_world w;
    const std::string before = getenv("PATH");
    w.script("bin/portitor-test-plugin", print(R"({"token":"found"})"));
    setenv("PATH", (w.folder.path("bin") + ":" + before).c_str(), 1);
    const auto own = w.loaded(exec_user("portitor-test-plugin"));
    const auto got = run(w.context, own->current());
    setenv("PATH", before.c_str(), 1);
    REQUIRE(got.has_value());
    CHECK(got->bearer_token == "found");
}

TEST_CASE("a plugin that is not installed is told with its hint", "[kube][exec]")
{
    plugin_world w;
    const auto own =
        w.loaded(exec_user("portitor-test-none", "        installHint: get it at example.com\n"));
    const error told = w.failure(*own);
    CHECK(told.code() == errc::invalid);
    CHECK(
        told.message() == "exec plugin portitor-test-none: the command was not found: get it at example.com"
    );
}

TEST_CASE("a plugin's certificate is shown, and another object only where it changes", "[kube][exec]")
{
    plugin_world w;
    const authority ca("test CA");
    const auto one = ca.issue("one", "");
    const auto two = ca.issue("two", "");
    const auto printed = [](const portitor::test::identity& of) {
        json::object status;
        status["clientCertificateData"] = of.certificate;
        status["clientKeyData"] = of.key;
        // "\n" stays as it is within quotes of the here-document.
        std::string out = print(json::serialize(status));
        return out.replace(out.find("END"), 3, "'END'");
    };
    const auto own = w.with_plugin(printed(one));
    const auto first = w.current(*own);
    CHECK(first.bearer_token.empty());
    CHECK(first.tls->certificate == one.certificate);
    CHECK(first.tls->private_key == one.key);
    w.time.advance(seconds(5));
    own->expire();
    CHECK(w.current(*own).tls == first.tls);
    CHECK(w.runs().size() == 2);
    w.rewrite(printed(two));
    w.time.advance(seconds(5));
    own->expire();
    const auto second = w.current(*own);
    CHECK(second.tls != first.tls);
    CHECK(second.tls->certificate == two.certificate);
    w.rewrite(print(R"({"token":"only"})"));
    w.time.advance(seconds(5));
    own->expire();
    CHECK(w.current(*own).tls->certificate.empty());
}

TEST_CASE("a token is kept until shortly before it expires", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin(token_until("one", seconds(30)));
    CHECK(w.token(*own) == "one");
    w.time.advance(std::chrono::hours(1));  // which is not the clock that counts here
    CHECK(w.token(*own) == "one");
    CHECK(w.runs().size() == 1);
    // Less than the leeway is left of this one.
    w.rewrite(token_until("two", seconds(8)));
    own->expire();
    CHECK(w.token(*own) == "two");
    w.rewrite(token_until("three", seconds(3600)));
    CHECK(w.token(*own) == "two");
    w.time.advance(seconds(5));
    CHECK(w.token(*own) == "three");
    CHECK(w.runs().size() == 3);
}

TEST_CASE("a token without an expiry is kept until it is refused", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin(print(R"({"token":"one"})"));
    CHECK(w.token(*own) == "one");
    w.rewrite(print(R"({"token":"two"})"));
    w.time.advance(std::chrono::hours(1000));
    CHECK(w.token(*own) == "one");
    own->expire();
    CHECK(w.token(*own) == "two");
    CHECK(w.runs().size() == 2);
}

TEST_CASE("a plugin whose tokens are refused again and again runs every few seconds at most", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin(print(R"({"token":"bad"})"));
    for (int i = 0; i < 20; ++i)
    {
        CHECK(w.token(*own) == "bad");
        own->expire();
    }
    CHECK(w.runs().size() == 1);
    w.time.advance(milliseconds(4999));
    CHECK(w.token(*own) == "bad");
    CHECK(w.runs().size() == 1);
    w.time.advance(milliseconds(1));
    for (int i = 0; i < 20; ++i)
    {
        CHECK(w.token(*own) == "bad");
        own->expire();
    }
    CHECK(w.runs().size() == 2);
}

TEST_CASE("a plugin that fails is told by command and status, and tried again later", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin("echo S3CR3T; echo S3CR3T >&2; exit 7\n");
    const error told = w.failure(*own);
    CHECK(told.code() == errc::unavailable);
    CHECK(told.message() == "exec plugin ./plugin: exit status 7");
    CHECK(w.failure(*own).message() == told.message());
    own->expire();
    CHECK(w.failure(*own).message() == told.message());
    CHECK(w.runs().size() == 1);
    w.rewrite("echo S3CR3T\n");
    w.time.advance(seconds(5));
    CHECK(w.failure(*own).message() == "exec plugin ./plugin: its output is no JSON object");
    w.rewrite(print(R"({"token":"good"})"));
    w.time.advance(seconds(5));
    CHECK(w.token(*own) == "good");
}

TEST_CASE("a plugin that fails keeps the old token unless that has expired", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin(token_until("one", seconds(3600)));
    CHECK(w.token(*own) == "one");
    w.rewrite("exit 1\n");
    w.time.advance(seconds(5));
    own->expire();
    CHECK(w.token(*own) == "one");
    CHECK(w.runs().size() == 2);
    // The plugin's clock may be another: what has just been given is shown even so.
    w.rewrite(token_until("late", seconds(-60)));
    w.time.advance(seconds(5));
    own->expire();
    CHECK(w.token(*own) == "late");
    w.rewrite("exit 1\n");
    w.time.advance(seconds(5));
    CHECK(w.failure(*own).message() == "exec plugin ./plugin: exit status 1");
}

TEST_CASE("a plugin that hangs is killed, and holds up nothing else", "[kube][exec]")
{
    plugin_world w;
    w.rewrite("exec sleep 1000\n");
    auto source = read_kubeconfig(w.folder.write("config", exec_user("./plugin")), "");
    REQUIRE(source.has_value());
    source->plugin->limits.time = milliseconds(800);
    const auto own = make_credentials(w.context.get_executor(), w.time, *source);
    // Ticks meanwhile: the longest gap between two says how long the thread was not free.
    milliseconds longest{};
    auto tick = [](milliseconds& gap) -> boost::asio::awaitable<void> {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        for (auto last = std::chrono::steady_clock::now();;)
        {
            timer.expires_after(milliseconds(5));
            co_await timer.async_wait(boost::asio::use_awaitable);
            const auto now = std::chrono::steady_clock::now();
            gap = std::max(gap, std::chrono::duration_cast<milliseconds>(now - last));
            last = now;
        }
    };
    boost::asio::cancellation_signal end;
    boost::asio::co_spawn(
        w.context, tick(longest), boost::asio::bind_cancellation_slot(end.slot(), [](std::exception_ptr) {})
    );
    const auto before = std::chrono::steady_clock::now();
    const error told = w.failure(*own);
    CHECK(std::chrono::steady_clock::now() - before >= milliseconds(790));
    end.emit(boost::asio::cancellation_type::terminal);
    w.context.run_for(seconds(1));
    CHECK(has(told.message(), "exec plugin ./plugin: killed"));
    CHECK(longest < milliseconds(600));
    CHECK(no_children());
}

TEST_CASE("many at a time share one run", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin("sleep 0.1\n" + print(R"({"token":"shared"})"));
    int answered = 0;
    for (int i = 0; i < 10; ++i)
    {
        boost::asio::co_spawn(
            w.context,
            own->current(),
            [&](std::exception_ptr, result<kube::identity> value) {
                answered += value && value->bearer_token == "shared";
            }
        );
    }
    w.started();
    own->expire();  // of what was given before
    w.context.run_for(seconds(5));
    CHECK(answered == 10);
    CHECK(w.token(*own) == "shared");
    w.time.advance(seconds(10));
    CHECK(w.token(*own) == "shared");
    CHECK(w.runs().size() == 1);
}

TEST_CASE("one who no longer waits for a plugin does not end it for the others", "[kube][exec]")
{
    plugin_world w;
    const auto own = w.with_plugin("sleep 0.2\n" + print(R"({"token":"tok"})"));
    boost::asio::cancellation_signal leave;
    std::exception_ptr thrown;
    std::optional<std::string> other;
    boost::asio::co_spawn(
        w.context,
        own->current(),
        boost::asio::bind_cancellation_slot(
            leave.slot(), [&](std::exception_ptr failure, result<kube::identity>) { thrown = failure; }
        )
    );
    boost::asio::co_spawn(w.context, own->current(), [&](std::exception_ptr, result<kube::identity> value) {
        other = value ? value->bearer_token : "";
    });
    w.started();
    leave.emit(boost::asio::cancellation_type::terminal);
    w.context.poll();
    REQUIRE(thrown != nullptr);
    CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
    CHECK_FALSE(other.has_value());
    w.context.run_for(seconds(5));
    CHECK(other == "tok");
    CHECK(w.runs().size() == 1);
    CHECK(no_children());
}

TEST_CASE("credentials may go while their plugin runs", "[kube][exec]")
{
    plugin_world w;
    auto own = w.with_plugin("exec sleep 1000\n");
    std::optional<result<kube::identity>> got;
    boost::asio::co_spawn(w.context, own->current(), [&](std::exception_ptr, result<kube::identity> value) {
        got = std::move(value);
    });
    const std::string pid = w.started();
    CHECK(is_running(pid));
    const auto before = std::chrono::steady_clock::now();
    own.reset();
    CHECK(std::chrono::steady_clock::now() - before < seconds(1));
    CHECK(no_children());
    CHECK_FALSE(std::filesystem::exists("/proc/" + pid));
    w.context.restart();
    w.context.run_for(seconds(1));
    REQUIRE(got.has_value());
    REQUIRE_FALSE(got->has_value());
    CHECK(got->error().code() == errc::canceled);
}

TEST_CASE("a whole shutdown may come while a plugin runs", "[kube][exec]")
{
    std::string pid;
    {
        plugin_world w;
        const auto own = w.with_plugin("exec sleep 1000\n");
        boost::asio::cancellation_signal leave;
        boost::asio::co_spawn(
            w.context,
            own->current(),
            boost::asio::bind_cancellation_slot(
                leave.slot(), [](std::exception_ptr, result<kube::identity>) {}
            )
        );
        pid = w.started();
        leave.emit(boost::asio::cancellation_type::terminal);
        // Neither does the coroutine resume nor the plugin end before all of it is destroyed.
    }
    CHECK_FALSE(std::filesystem::exists("/proc/" + pid));
    CHECK(no_children());
}

TEST_CASE("credentials may go right after their plugin has ended", "[kube][exec]")
{
    plugin_world w;
    auto own = w.with_plugin(print(R"({"token":"tok"})"));
    boost::asio::co_spawn(w.context, own->current(), [](std::exception_ptr, result<kube::identity>) {});
    w.started();
    // Its result is posted, and nobody is there any more to take it.
    for (int i = 0; i < 200 && !no_children(); ++i)
        std::this_thread::sleep_for(milliseconds(10));
    std::this_thread::sleep_for(milliseconds(50));
    own.reset();
    w.context.restart();
    w.context.run_for(milliseconds(100));
    CHECK(w.runs().size() == 1);
}
