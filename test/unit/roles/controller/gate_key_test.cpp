#include "controller_world.hpp"
#include "files.hpp"
#include "roles/controller/gate_key_file.hpp"

#include <portitor/api/gate_key.hpp>

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

const std::string first(32, 'a');
const std::string second(32, 'b');

struct keyed_world : controller_world
{
    test::temp_folder folder;

    keyed_world()
    {
        options.gate_key_file = folder.path("key");
        options.lists.credentials.entries = {{"up", "/x", {"shop"}}};
    }

    /// An offer that names the credential, and one that names none.
    void create_offers()
    {
        create_secretive();
        create(service_offer_resource, offer_text("plain"));
    }
    void create_secretive()
    {
        std::string secretive = offer_text("secretive");
        const std::string port = R"("port":8080,)";
        secretive.insert(secretive.find(port) + port.size(), R"("credential":"up",)");
        create(service_offer_resource, secretive);
    }
    std::string address(const std::string& offer) const
    {
        const auto found = live(middleware_resource, api::middleware_name(offer));
        return found ? kube::string_at(found->raw, "spec.forwardAuth.address") : std::string();
    }
    std::string expected(const std::string& secret) const
    {
        const std::string uid = live(service_offer_resource, "secretive")->meta.uid;
        return api::gate_address(
            "http://portitor-verifier.portitor.svc:8080",
            "shop",
            "secretive",
            api::gate_key::make(secret).value().token_for("shop", "secretive", uid)
        );
    }
};

}  // namespace

TEST_CASE_METHOD(
    keyed_world, "only the Middleware of an offer with a credential bears a token", "[controller][gate_key]"
)
{
    folder.write("key", first + "\n");
    start();
    create_offers();
    REQUIRE(wait([&] { return converged("secretive") && converged("plain"); }));
    CHECK(address("secretive") == expected(first));
    CHECK(address("plain") == "http://portitor-verifier.portitor.svc:8080/verify/shop/plain");
    // Who has the same name later is another offer.
    const std::string before = address("secretive");
    remove(service_offer_resource, "secretive");
    REQUIRE(wait([&] { return !exists(service_offer_resource, "secretive") && !has_any_child("secretive"); })
    );
    create_secretive();
    REQUIRE(wait([&] { return converged("secretive"); }));
    CHECK(address("secretive") == expected(first));
    CHECK(address("secretive") != before);
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    keyed_world,
    "without its key an offer with a credential is withheld, and sold once there is one",
    "[controller][gate_key]"
)
{
    start();
    create_offers();
    REQUIRE(wait([&] { return is_judged("secretive") && converged("plain"); }));
    CHECK(said("secretive", "PaymentGateReady") == "False NoGateKey");
    CHECK_FALSE(has_any_child("secretive"));
    folder.write("key", "too short");
    pass(30s);
    CHECK_FALSE(has_any_child("secretive"));
    folder.write("key", first);
    pass(11s);
    REQUIRE(wait([&] { return has_children("secretive"); }));
    CHECK(address("secretive") == expected(first));
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    keyed_world,
    "a changed key waits until the verifiers have it, then every token is made anew",
    "[controller][gate_key]"
)
{
    folder.write("key", first);
    start();
    create_offers();
    REQUIRE(wait([&] { return converged("secretive") && converged("plain"); }));
    const auto plain = live(middleware_resource, api::middleware_name("plain"))->meta.resource_version;
    folder.write("key", second);
    pass(controller::gate_key_file::settling - 20s);
    CHECK(address("secretive") == expected(first));
    pass(45s);
    REQUIRE(wait([&] { return address("secretive") == expected(second); }));
    CHECK(live(middleware_resource, api::middleware_name("plain"))->meta.resource_version == plain);
    CHECK(end() == 0);
}

TEST_CASE("a key that comes and goes is not taken up", "[controller][gate_key]")
{
    const test::temp_folder folder;
    controller::gate_key_file file(folder.write("key", first));
    timekeeper::time_point now{};
    CHECK(file.refresh(now).value());
    CHECK_FALSE(file.refresh(now).value());
    folder.write("key", second);
    CHECK_FALSE(file.refresh(now).value());
    now += controller::gate_key_file::settling - 1s;
    CHECK_FALSE(file.refresh(now).value());
    folder.write("key", first);
    CHECK_FALSE(file.refresh(now).value());
    // The time begins anew.
    folder.write("key", second);
    now += 1h;
    CHECK_FALSE(file.refresh(now).value());
    folder.write("key", "short");
    CHECK(file.refresh(now).has_error());
    CHECK(file.current() == api::gate_key::make(first).value());
    folder.write("key", second);
    now += controller::gate_key_file::settling;
    CHECK(file.refresh(now).value());
    CHECK(file.current() == api::gate_key::make(second).value());
    controller::gate_key_file none("");
    CHECK_FALSE(none.refresh(now).value());
    CHECK_FALSE(none.current().has_value());
}
