#include "catch.hpp"
#include "given_options.hpp"
#include "offer/chains.hpp"
#include "roles/controller/options.hpp"
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

TEST_CASE("the registrar is told what it may do", "[roles][options]")
{
    registrar::options read;
    REQUIRE(complaint(read, {}) == "no error");
    CHECK(read.min_interval == std::chrono::minutes(5));
    CHECK(read.low_balance == atomic_units("0.001", 18).value());
    CHECK(read.request.name.empty());
    CHECK_FALSE(read.key.given());
    CHECK(
        complaint(read, {"--request=shop/hello-registration", "--min-interval=0s", "--low-balance=0"}) ==
        "no error"
    );
    CHECK(read.request == kube::object_key{"shop", "hello-registration"});
    CHECK(read.low_balance == 0);
    CHECK(has(complaint(read, {"--request=shop/a", "--until-done"}), "--request and --until-done"));
    CHECK(has(complaint(read, {"--request=a"}), "--request: \"a\" is not NAMESPACE/NAME"));
    CHECK(has(complaint(read, {"--low-balance=-1"}), "--low-balance: a decimal number of ether"));
    CHECK(has(complaint(read, {"--low-balance=1000000001"}), "--low-balance: 1000000001 ether is more"));
    CHECK(has(complaint(read, {"--key-file=k"}), "--key-file needs"));
}

TEST_CASE("the registrar reads the operator's lists, and those of its own", "[roles][options]")
{
    registrar::options read;
    const std::string text = "networks:\n- {network: 'eip155:31337', aliases: [anvil]}\n"
                             "chains:\n- name: anvil\n  rpcURL: https://node\n"
                             "  registry: '0x8004a169fb4a3325136eb29fa0ceb6d2e539a432'\n"
                             "signers:\n- {namespace: shop, secret: agent}\n"
                             "identities:\n- {chain: anvil, agentId: 7, namespace: shop}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    CHECK(read.chains.entries.back().name == "anvil");
    CHECK(read.lists.signers.size() == 1);
    REQUIRE(read.lists.identities.size() == 1);
    CHECK(read.lists.identities.front().agent_id == 7);
    CHECK(has(
        complaint_about<registrar::options>("identities:\n- {chain: anvil, agentId: 7, namespace: shop}\n"),
        "identities: line 2: anvil is no chain"
    ));
}

TEST_CASE("the plan knows the operator's lists by name", "[roles][options]")
{
    controller::options read;
    const std::string text = "verifier-service: a/b\n"
                             "facilitators:\n- {name: ours, url: https://ours}\n"
                             "credentials:\n- {name: llm, file: /llm, namespaces: [models]}\n"
                             "chains:\n- {name: five, rpcURL: https://node}\n";
    REQUIRE(complaint_about(read, text) == "no error");
    const offer::plan_settings made{read.gateway, read.lists};
    REQUIRE(made.lists.facilitators.find("ours"));
    CHECK(made.lists.facilitators.find("ours")->url == "https://ours");
    CHECK(made.lists.facilitators.default_name == "default");
    REQUIRE(made.lists.credentials.entries.size() == 1);
    CHECK(made.lists.credentials.entries[0].namespaces == std::vector<std::string>{"models"});
    CHECK(made.gateway.verifier_service.to_string() == "a/b");
    REQUIRE(offer::find_chain("base", made));
    CHECK(offer::find_chain("eip155:8453", made) == offer::find_chain("base", made));
    CHECK_FALSE(offer::find_chain("nowhere", made));
    CHECK(offer::find_chain("", made) == &made.lists.chains.entries.front());
    // Without a registry it is there for the verifier only.
    CHECK_FALSE(offer::find_chain("five", made));
}
