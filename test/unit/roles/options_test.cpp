#include "catch.hpp"
#include "given_options.hpp"
#include "roles/controller/options.hpp"
#include "roles/plan_settings.hpp"
#include "roles/registrar/options.hpp"
#include "roles/verifier/options.hpp"

using namespace portitor;
using portitor::test::complaint;
using portitor::test::complaint_about;
using portitor::test::has;

TEST_CASE("the discovery documents are published by a gateway", "[roles][options]")
{
    controller::options read;
    CHECK(complaint(read, {"--discovery-service=a/b:9000"}) == "no error");
    CHECK(read.discovery_service.port == 9000);
    CHECK(
        has(complaint_about<controller::options>("discovery-service: a/b\ngateway: ''\n"),
            "--discovery-service needs --gateway")
    );
}

TEST_CASE("a controller that writes nothing takes no Lease", "[roles][options]")
{
    controller::options read;
    REQUIRE(complaint(read, {}) == "no error");
    CHECK(read.lease.lease("portitor-controller").has_value());
    REQUIRE(complaint(read, {"--dry-run"}) == "no error");
    CHECK_FALSE(read.lease.lease("portitor-controller").has_value());
}

TEST_CASE("a verifier is told all that goes together, and within bounds", "[roles][options]")
{
    verifier::options read;
    CHECK(complaint(read, {"--threads=256", "--max-claims=1"}) == "no error");
    CHECK(read.threads == 256);
    CHECK(has(complaint(read, {"--threads=257"}), "--threads: 257 is more than 256"));
    CHECK(has(complaint(read, {"--max-claims=0"}), "--max-claims must be at least 1"));
    CHECK(has(complaint(read, {"--tls-cert-file=a"}), "--tls-cert-file and --tls-key-file go together"));
}

TEST_CASE("options as they are by default are those of a start with nothing", "[roles][options]")
{
    const auto of_controller = config::defaults<controller::options>();
    CHECK(of_controller.listen == ":8080");
    CHECK(of_controller.deletion_deadline == std::chrono::minutes(5));
    CHECK(of_controller.lists.facilitators.find("default") != nullptr);
    CHECK(config::defaults<verifier::options>().max_validity == std::chrono::hours(1));
    CHECK_FALSE(config::defaults<registrar::options>().until_done);
}

TEST_CASE("the plan knows the operator's lists by name", "[roles][options]")
{
    controller::options read;
    const std::string text = "verifier-service: a/b\n"
                             "facilitators:\n- {name: ours, url: https://ours}\n"
                             "credentials:\n- {name: llm, file: /llm, namespaces: [models]}\n"
                             "chains:\n- {name: five, rpcURL: https://node}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    const auto made = roles::make_plan_settings(read.gateway, read.lists);
    CHECK(made.facilitators.at("ours") == "https://ours");
    CHECK(made.default_facilitator == "default");
    REQUIRE(made.credentials.size() == 1);
    CHECK(made.credentials[0].namespaces == std::vector<std::string>{"models"});
    CHECK(made.verifier_endpoints_required);
    REQUIRE(made.find_network("base").has_value());
    CHECK(made.find_network("base")->caip2 == "eip155:8453");
    CHECK_FALSE(made.find_network("nowhere").has_value());
    // Without a registry it is there for the verifier only.
    CHECK(made.chains.size() == config::built_in_chains().size());
}
