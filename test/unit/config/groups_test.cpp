#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/gateway_options.hpp>
#include <portitor/config/groups.hpp>
#include <portitor/config/kube_options.hpp>
#include <portitor/config/lease_options.hpp>
#include <portitor/config/log_options.hpp>

using namespace portitor;
using portitor::test::complaint;
using portitor::test::environment_variable;
using portitor::test::has;

namespace {

struct failing_group
{
    void declare(config::loader&) {}
    result<void> resolve() { return fail(errc::invalid, "it fails"); }
};

struct counting_group
{
    int resolved = 0;
    void declare(config::loader&) {}
    result<void> resolve()
    {
        ++resolved;
        return {};
    }
};

}  // namespace

TEST_CASE("groups are resolved one after the other, up to the first failure", "[config][groups]")
{
    counting_group first;
    failing_group second;
    counting_group third;
    const auto resolved = config::resolve_all(first, second, third);
    REQUIRE_FALSE(resolved.has_value());
    CHECK(resolved.error().message() == "it fails");
    CHECK(first.resolved == 1);
    CHECK(third.resolved == 0);
    CHECK(config::resolve_all(first, third).has_value());
}

TEST_CASE("defaults are what a start with nothing gives, whatever the environment says", "[config][groups]")
{
    const environment_variable variable("PORTITOR_GATEWAY_CONTROLLER", "somebody/else");
    const auto made = config::defaults<config::gateway_options>();
    CHECK(made.gateway == kube::object_key{"traefik", "traefik-gateway"});
    CHECK(made.controller == "traefik.io/gateway-controller");
    CHECK(made.verifier_url == "http://portitor-verifier.portitor.svc:8080");
}

TEST_CASE("the verifier is looked for in our namespace", "[config][groups]")
{
    config::gateway_options read;
    REQUIRE(complaint(read, {"--namespace=toll"}) == "no error");
    CHECK(read.verifier_url == "http://portitor-verifier.toll.svc:8080");
    config::gateway_options named;
    REQUIRE(complaint(named, {"--verifier-url=https://verifier/"}) == "no error");
    CHECK(named.verifier_url == "https://verifier");
}

TEST_CASE("a Lease is in our namespace and has the times that are given", "[config][groups]")
{
    config::lease_options read;
    REQUIRE(complaint(read, {"--namespace=toll", "--leader-elect-lease-duration=40s"}) == "no error");
    const auto lease = read.lease("portitor-somebody");
    REQUIRE(lease.has_value());
    CHECK(lease->lease == kube::object_key{"toll", "portitor-somebody"});
    CHECK(lease->duration == std::chrono::seconds(40));
}

TEST_CASE("times of a Lease that do not fit together are refused where one is wanted", "[config][groups]")
{
    config::lease_options read;
    const std::string told = complaint(read, {"--leader-elect-lease-duration=5s"});
    CHECK(has(told, "--leader-elect-"));
    CHECK(complaint(read, {"--leader-elect-lease-duration=5s", "--leader-elect=false"}) == "no error");
    CHECK_FALSE(read.lease("portitor-somebody").has_value());
}

TEST_CASE("the API server's credentials are read when it is connected to", "[config][groups]")
{
    config::kube_options read;
    REQUIRE(complaint(read, {"--kubeconfig=/does/not/exist", "--kube-api-qps=20"}) == "no error");
    CHECK(read.qps == 20);
    boost::asio::io_context context;
    steady_timekeeper timers;
    portitor::metrics metrics;
    const auto server = read.connect(context.get_executor(), timers, metrics);
    REQUIRE_FALSE(server.has_value());
    CHECK(has(server.error().message(), "/does/not/exist"));
}

TEST_CASE("levels and forms of the log have names", "[config][groups]")
{
    config::log_options read;
    REQUIRE(complaint(read, {"--log-level=debug", "--log-format=json"}) == "no error");
    CHECK(read.level == log_level::debug);
    CHECK(read.format == log_format::json);
    CHECK(has(complaint(read, {"--log-level=loud"}), "\"loud\" is none of debug, info, warn, error"));
    CHECK(has(complaint(read, {"--log-format=xml"}), "\"xml\" is neither json nor text"));
}
