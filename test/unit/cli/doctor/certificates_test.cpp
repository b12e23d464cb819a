#include "certificates.hpp"
#include "cli/doctor/tls_probe.hpp"
#include "doctor_world.hpp"
#include "wire.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;
using portitor::test::wire;
using portitor::test::wire_server;

TEST_CASE("doctor reads certificates", "[cli][doctor]")
{
    const portitor::test::authority issuer("a CA");
    const std::string pem = issuer.issue("api.example.com", "DNS:api.example.com").certificate;
    const auto facts = read_certificate(pem, "api.example.com").value();
    CHECK(facts.is_for_host);
    CHECK(facts.expires > std::chrono::system_clock::now());
    CHECK(facts.expires < std::chrono::system_clock::now() + std::chrono::hours(2));
    CHECK_FALSE(read_certificate(pem, "other.example.com").value().is_for_host);
    CHECK(read_certificate("no PEM", "a").error().code() == errc::invalid);
}

TEST_CASE("the verifier's Secret is judged where it may be read", "[cli][doctor]")
{
    doctor_world world;
    world.settings.gateway.verifier_url = "https://portitor-verifier.portitor.invalid:1";
    world.settings.lists.facilitators.entries.clear();
    world.cluster.lists["deployments"] = {object_of(R"({
        "metadata": {"namespace": "portitor", "name": "v",
                     "labels": {"app.kubernetes.io/component": "verifier"}},
        "spec": {"template": {"spec": {"volumes": [
          {"name": "tls", "secret": {"secretName": "gate-tls"}}]}}}})")};
    const std::string name = "Secret portitor/gate-tls: ";
    CHECK(says(world.visit(&examine_certificates), "failure " + name + "it is not there"));
    const auto holds = [&](const std::string& pem) {
        json::object secret = object_of(R"({"metadata": {"namespace": "portitor", "name": "gate-tls"}})");
        secret["data"] = json::object{{"tls.crt", x402::encode_base64(pem)}};
        world.cluster.objects["secrets/portitor/gate-tls"] = std::move(secret);
        return world.visit(&examine_certificates);
    };
    CHECK(says(holds("no"), "failure " + name + "it is no certificate in PEM"));
    const portitor::test::authority issuer("a CA");
    const auto found = holds(issuer.issue("x", "DNS:other").certificate);
    CHECK(says(found, "warning " + name + "expires in "));
    CHECK(says(found, "failure " + name + "it is not for portitor-verifier.portitor.invalid"));
    const auto lasting = [&](const portitor::test::validity& when) {
        return holds(issuer.issue("x", "DNS:portitor-verifier.portitor.invalid", when).certificate);
    };
    CHECK(says(lasting({.until = "99991231235959Z"}), "ok " + name + "expires in "));
    CHECK(says(lasting({.until = "20200101000000Z"}), "failure " + name + "expired "));
    CHECK(says(
        lasting({.from = "99980101000000Z", .until = "99991231235959Z"}),
        "failure " + name + "it is valid only in "
    ));
    CHECK(says(lasting({.from = "00000101000000Z"}), "warning " + name + "expires in "));
    world.cluster.forbidden = {"secrets"};
    CHECK(says(
        world.visit(&examine_certificates),
        "not checked " + name + "the right to get secrets in portitor is missing"
    ));
}

TEST_CASE("a server that speaks no TLS, says nothing, or is not there is told", "[cli][doctor]")
{
    asio::io_context context;
    const auto look = [&](std::uint16_t port, std::chrono::milliseconds limit) {
        return portitor::test::run(context, look_at_certificate({"https", "127.0.0.1", port}, limit))
            .error()
            .code();
    };
    wire_server garbage(context, [](wire& line, int) -> asio::awaitable<void> {
        co_await line.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        co_await line.read_to_end();
    });
    CHECK(look(garbage.origin().port, std::chrono::seconds(3)) == errc::protocol);
    portitor::test::run(context, garbage.stop());

    wire_server silent(context, [](wire& line, int) -> asio::awaitable<void> {
        co_await line.read_to_end();
    });
    CHECK(look(silent.origin().port, std::chrono::milliseconds(30)) == errc::timed_out);
    portitor::test::run(context, silent.stop());
    CHECK(look(portitor::test::free_port(context), std::chrono::seconds(3)) == errc::unavailable);
}
