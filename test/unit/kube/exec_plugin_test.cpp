#include "certificates.hpp"
#include "credentials_world.hpp"
#include "kube/exec_plugin.hpp"

#include <portitor/core/clock.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fcntl.h>
#include <thread>
#include <unistd.h>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

std::string credential(const std::string& status)
{
    return R"({"apiVersion":")" + v1 + R"(","kind":"ExecCredential","status":)" + status + "}";
}

std::string complaint(const std::string& output)
{
    const auto parsed = parse_exec_credential(output, v1);
    if (parsed)
        return "no error";
    CHECK(parsed.error().code() == errc::protocol);
    return parsed.error().message();
}

struct process_world : credentials_world
{
    child_limits limits;

    result<std::string> run_script(const std::string& body, std::stop_token stop = {})
    {
        child_command command;
        command.program = script("program", body);
        command.environment.push_back("PATH=/usr/bin:/bin");
        return run_child(command, limits, stop);
    }

    error failure_of(const std::string& body)
    {
        const auto output = run_script(body);
        REQUIRE_FALSE(output.has_value());
        CHECK_FALSE(has(output.error().message(), "S3CR3T"));
        return output.error();
    }
};

// An orphan is gone as soon as its new parent has reaped it.
bool ends_soon(const std::string& pid)
{
    for (int i = 0; i < 100 && is_running(pid); ++i)
        std::this_thread::sleep_for(milliseconds(10));
    return !is_running(pid);
}

}  // namespace

TEST_CASE("an ExecCredential with a token is read", "[kube][exec]")
{
    const auto read = parse_exec_credential(
        credential(R"({"token":"tok","expirationTimestamp":"2026-11-24T20:17:00Z","other":1})") + "\n", v1
    );
    REQUIRE(read.has_value());
    CHECK(read->token == "tok");
    CHECK(read->certificate.empty());
    CHECK(read->expires == from_rfc3339("2026-11-24T20:17:00Z"));
    const auto endless =
        parse_exec_credential(credential(R"({"token":"tok","expirationTimestamp":null})"), v1);
    REQUIRE(endless.has_value());
    CHECK_FALSE(endless->expires.has_value());
}

TEST_CASE("an expiry may have an offset, a fraction, or a year beyond all clocks", "[kube][exec]")
{
    const auto expiry = [](const std::string& text) {
        const auto read =
            parse_exec_credential(credential(R"({"token":"t","expirationTimestamp":")" + text + "\"}"), v1);
        return read ? read->expires.value() : std::chrono::system_clock::time_point{};
    };
    const auto expected = from_rfc3339("2026-11-24T20:17:00Z");
    CHECK(expiry("2026-11-24T20:17:00.123456Z") == expected);
    CHECK(expiry("2026-11-24T21:17:00+01:00") == expected);
    CHECK(expiry("2026-11-24T14:47:00.5-05:30") == expected);
    CHECK(expiry("2026-11-24T20:17:00-00:00") == expected);
    CHECK(expiry("9999-12-31T23:59:59Z") > std::chrono::system_clock::now());
    CHECK(expiry("0001-01-01T00:00:00Z") < std::chrono::system_clock::now());
    for (const char* bad :
         {"soon",
          "2026-11-24",
          "2026-11-24T20:17:00",
          "2026-11-24T20:17:00+1:00",
          "2026-11-24T20:17:00+ab:cd",
          "2026-13-24T20:17:00Z",
          "+1:00",
          "Z",
          "20261124T201700Z",
          "2026-11-24T20:17:00+01:00Z"})
    {
        CAPTURE(bad);
        CHECK(expiry(bad) == std::chrono::system_clock::time_point{});
    }
}

TEST_CASE("an ExecCredential with a certificate has its key", "[kube][exec]")
{
    const authority ca("test CA");
    const auto one = ca.issue("one", "");
    const auto other = ca.issue("other", "");
    const auto status = [](const std::string& certificate, const std::string& key) {
        boost::json::object out;
        if (!certificate.empty())
            out["clientCertificateData"] = certificate;
        if (!key.empty())
            out["clientKeyData"] = key;
        return credential(boost::json::serialize(out));
    };
    const auto read = parse_exec_credential(status(one.certificate, one.key), v1);
    REQUIRE(read.has_value());
    CHECK(read->token.empty());
    CHECK(read->certificate == one.certificate);
    CHECK(read->private_key == one.key);
    CHECK(has(complaint(status(one.certificate, "")), "only one of"));
    CHECK(has(complaint(status("", one.key)), "only one of"));
    CHECK(has(complaint(status(one.certificate, other.key)), "not the certificate's"));
    CHECK(has(complaint(status("S3CR3T", "S3CR3T")), "no PEM"));
    CHECK_FALSE(has(complaint(status("S3CR3T", "S3CR3T")), "S3CR3T"));
}

TEST_CASE("anything else is refused, and nothing of it is told", "[kube][exec]")
{
    for (const std::string& output :
         {std::string(),
          std::string("S3CR3T"),
          std::string("[\"S3CR3T\"]"),
          std::string("{\"S3CR3T\""),
          credential(R"({"token":"S3CR3T"})") + "S3CR3T",
          std::string(R"({"kind":"ExecCredential","status":{"token":"S3CR3T"}})"),
          std::string(
              R"({"apiVersion":")" + v1 + R"(beta1","kind":"ExecCredential","status":{"token":"S3CR3T"}})"
          ),
          std::string(R"({"apiVersion":")" + v1 + R"(","kind":"Secret","status":{"token":"S3CR3T"}})"),
          std::string(R"({"apiVersion":")" + v1 + R"(","kind":"ExecCredential"})"),
          credential("\"S3CR3T\""),
          credential("{}"),
          credential(R"({"token":""})"),
          credential(R"({"token":["S3CR3T"]})"),
          credential(R"({"token":"S3CR3T\r\nHost: evil"})"),
          credential(R"({"token":"S3CR3T","expirationTimestamp":1764015420})"),
          credential(R"({"token":"S3CR3T","expirationTimestamp":"S3CR3T"})"),
          std::string(100, '[')})
    {
        CAPTURE(output);
        const std::string told = complaint(output);
        CAPTURE(told);
        CHECK(told != "no error");
        CHECK_FALSE(has(told, "S3CR3T"));
    }
}

TEST_CASE("a program's output is returned, and its arguments and environment are passed", "[kube][exec]")
{
    process_world w;
    child_command command;
    command.program = w.script("program", "echo \"$# $1 [$2]\"; echo \"$NAME\"; env | wc -l\n");
    command.arguments = {"one", "two words"};
    command.environment = {"NAME=a value", "PATH=/usr/bin:/bin"};
    const auto output = run_child(command, w.limits, {});
    REQUIRE(output.has_value());
    CHECK(has(*output, "2 one [two words]\na value\n"));
    CHECK(no_children());
}

TEST_CASE("a program reads nothing, and inherits no open file", "[kube][exec]")
{
    process_world w;
    const int leak = open("/dev/null", O_RDONLY);  // as a socket of Asio, not close-on-exec
    REQUIRE(leak > 2);
    const auto output = w.run_script(
        "cat\necho S3CR3T >&2\n[ -e /proc/$$/fd/" + std::to_string(leak) + " ] && echo leaked\necho end\n"
    );
    close(leak);
    REQUIRE(output.has_value());
    CHECK(*output == "end\n");
}

TEST_CASE("a program that fails is told by its status alone", "[kube][exec]")
{
    process_world w;
    CHECK(w.failure_of("echo S3CR3T; echo S3CR3T >&2; exit 3\n").message() == "exit status 3");
    CHECK(w.failure_of("echo S3CR3T; kill -SEGV $$\n").message() == "killed by signal 11");
    CHECK(w.failure_of("exit 1\n").code() == errc::unavailable);
    CHECK(no_children());
}

TEST_CASE("a program that is not there or cannot be started is told apart", "[kube][exec]")
{
    process_world w;
    child_command command;
    command.program = w.folder.path("none");
    CHECK(run_child(command, w.limits, {}).error().code() == errc::not_found);
    command.program = "portitor-test-no-such-program";
    CHECK(run_child(command, w.limits, {}).error().code() == errc::not_found);
    command.program = w.folder.path("");
    CHECK(run_child(command, w.limits, {}).error().code() == errc::unavailable);
    CHECK(no_children());
}

TEST_CASE("a program that hangs is killed with all that it started", "[kube][exec]")
{
    process_world w;
    w.limits.time = milliseconds(300);
    const auto before = std::chrono::steady_clock::now();
    const error told = w.failure_of(
        "sleep 1000 &\necho $! >" + w.folder.path("pid") + "\ntrap '' TERM\necho S3CR3T\nwait\n"
    );
    CHECK(told.code() == errc::unavailable);
    CHECK(has(told.message(), "300 ms"));
    CHECK(std::chrono::steady_clock::now() - before < seconds(2));
    CHECK(no_children());
    std::string pid = w.content("pid");
    pid.pop_back();
    CHECK(ends_soon(pid));
}

TEST_CASE("a program that writes without end is killed", "[kube][exec]")
{
    process_world w;
    CHECK(has(w.failure_of("exec yes S3CR3T\n").message(), "more than 1048576 bytes"));
    CHECK(no_children());
    const auto just = w.run_script("head -c 1048576 /dev/zero\n");
    REQUIRE(just.has_value());
    CHECK(just->size() == 1048576);
    CHECK(w.run_script("yes S3CR3T | head -c 3000000 >&2; echo ok\n").value() == "ok\n");
}

TEST_CASE("the end of a program counts, not that of its output", "[kube][exec]")
{
    process_world w;
    const auto before = std::chrono::steady_clock::now();
    // A process that is left behind holds stdout open.
    const auto output = w.run_script("sleep 3 &\necho ok\n");
    CHECK(std::chrono::steady_clock::now() - before < seconds(2));
    REQUIRE(output.has_value());
    CHECK(*output == "ok\n");
    CHECK(w.failure_of("echo ok; exec >&-; sleep 0.2; exit 4\n").message() == "exit status 4");
}

TEST_CASE("a program is killed where that is asked for", "[kube][exec]")
{
    process_world w;
    std::stop_source stop;
    std::thread later([&] {
        std::this_thread::sleep_for(milliseconds(100));
        stop.request_stop();
    });
    const auto before = std::chrono::steady_clock::now();
    const auto output = w.run_script("exec sleep 1000\n", stop.get_token());
    later.join();
    REQUIRE_FALSE(output.has_value());
    CHECK(output.error().code() == errc::canceled);
    CHECK(std::chrono::steady_clock::now() - before < seconds(2));
    CHECK(no_children());
}
