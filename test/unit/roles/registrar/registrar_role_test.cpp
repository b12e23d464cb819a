#include "../role_world.hpp"
#include "roles/registrar/registrar.hpp"

#include <portitor/api/resources.hpp>

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

using api::registration_request_resource;
using api::service_offer_resource;

struct registrar_world : role_world
{
    registrar::options options = config::defaults<registrar::options>();

    void start()
    {
        role_world::start([&](const process& around) { return make_registrar(around, options); });
    }

    kube::object_ptr offer(const std::string& name)
    {
        return create(
            service_offer_resource, R"({"metadata":{"namespace":"shop","name":")" + name + R"("},"spec":{}})"
        );
    }

    /// A request; without an owner where there is no UID.
    void request(const std::string& name, const std::string& owner, const std::string& uid)
    {
        const std::string owners =
            uid.empty()
                ? ""
                : R"(,"ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":")" +
                      owner + R"(","uid":")" + uid + R"(","controller":true}])";
        create(
            registration_request_resource,
            R"({"metadata":{"namespace":"shop","name":")" + name + "\"" + owners +
                R"(},"spec":{"name":"Hello","chain":"base-sepolia","registry":"0x8004A818BFB912233c491871b3d84c89A494BD9e",)"
                R"("agentURI":"https://api.example.com/u1.json","desiredState":"Active"}})"
        );
    }

    std::string phase(const std::string& name) const
    {
        return kube::string_at(live(registration_request_resource, name)->raw, "status.phase");
    }
};

}  // namespace

TEST_CASE_METHOD(
    registrar_world, "a request of an offer ends off chain where no chain is configured", "[registrar]"
)
{
    start();
    request("hello", "hello", offer("hello")->meta.uid);
    REQUIRE(wait([&] { return phase("hello") == "OffChainOnly"; }));
    CHECK(condition(registration_request_resource, "hello", "Registered") == "True NoNode");
    // Said once.
    const auto told = live(registration_request_resource, "hello");
    pass(5s);
    CHECK(live(registration_request_resource, "hello")->meta.resource_version == told->meta.resource_version);

    patch(
        registration_request_resource,
        "hello",
        R"([{"op":"replace","path":"/spec/desiredState","value":"Retired"}])"
    );
    REQUIRE(wait([&] { return phase("hello") == "Retired"; }));
    CHECK(ready() == 200);
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    registrar_world,
    "the registrar is not ready while nobody answers it, and ends at once when told to",
    "[registrar]"
)
{
    server.freeze();
    start();
    pass(1s);
    CHECK(ready() == 503);
    const auto told = wall.now();
    CHECK(end() == 0);
    CHECK(wall.now() - told < 5s);
}

TEST_CASE_METHOD(registrar_world, "a request that no living offer owns is left alone", "[registrar]")
{
    request("unowned", "", "");
    request("orphan", "gone", "some-uid");
    offer("other");
    request("stranger", "other", "the-uid-of-another-one");
    start();
    request("hello", "hello", offer("hello")->meta.uid);
    REQUIRE(wait([&] { return phase("hello") == "OffChainOnly"; }));
    pass(2s);
    for (const char* each : {"unowned", "orphan", "stranger"})
    {
        CAPTURE(each);
        CHECK_FALSE(live(registration_request_resource, each)->raw.contains("status"));
    }
}

TEST_CASE_METHOD(registrar_world, "until done: it ends when every request has been executed", "[registrar]")
{
    options.until_done = true;
    SECTION("requests that are there")
    {
        for (int i = 0; i < 20; ++i)
        {
            const std::string name = fmt::format("hello-{}", i);
            request(name, name, offer(name)->meta.uid);
        }
        request("unowned", "", "");
        start();
        REQUIRE(wait([&] { return ended(); }));
        for (int i = 0; i < 20; ++i)
            CHECK(phase(fmt::format("hello-{}", i)) == "OffChainOnly");
    }
    SECTION("none at all")
    {
        start();
        REQUIRE(wait([&] { return ended(); }));
    }
    SECTION("not while the API server is away")
    {
        request("hello", "hello", offer("hello")->meta.uid);
        server.stop();
        start();
        pass(5s);
        CHECK_FALSE(ended());
        server.start();
        REQUIRE(wait([&] { return ended(); }));
        CHECK(phase("hello") == "OffChainOnly");
    }
    CHECK(end() == 0);
}
