#include "controller_world.hpp"

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

// Ahead of the API server's by an hour.
class fast_clock final : public clock
{
public:
    explicit fast_clock(const clock& right) : right_(right) {}
    time_point now() const override { return right_.now() + std::chrono::hours(1); }

private:
    const clock& right_;
};

struct hurried_world : controller_world
{
    hurried_world() { machine = &ahead; }
    // The role must not outlive its clock.
    ~hurried_world()
    {
        stop.request();
        wait([&] { return ended(); });
    }

    fast_clock ahead{wall};
};

}  // namespace

TEST_CASE_METHOD(controller_world, "a registration whose offer is gone is retired and let go", "[controller]")
{
    const auto make = [&](const std::string& name, const std::string& more_spec = "") {
        create(api::registration_request_resource, request_text(name, "gone", more_spec));
    };
    const auto is_there = [&](const std::string& name) {
        return exists(api::registration_request_resource, api::registration_name(name));
    };
    const std::string agent = R"({"phase":"Confirmed","agentId":"7","txHash":"0xabc"})";
    make("untouched");
    make("minted");
    report(api::registration_request_resource, "minted-registration", agent);
    // The name is another offer's by now.
    make("hello");
    create(service_offer_resource, offer_text("hello"));
    make("late");
    report(api::registration_request_resource, "late-registration", agent);
    make("foreign", R"("serviceOfferName":"foreign",)");
    remove(api::registration_request_resource, "minted-registration");
    start();
    REQUIRE(wait([&] { return !is_there("untouched") && !is_there("hello"); }));
    REQUIRE(wait([&] {
        const auto of = live(api::registration_request_resource, "minted-registration");
        return kube::string_at(of->spec(), "desiredState") == "Retired";
    }));
    CHECK(live(api::registration_request_resource, "minted-registration")->meta.has_finalizer(api::finalizer)
    );
    report(api::registration_request_resource, "minted-registration", R"({"phase":"Retired","agentId":"7"})");
    REQUIRE(wait([&] { return !is_there("minted"); }));
    // Nobody retires this one.
    pass(options.deletion_deadline - 60s);
    CHECK(is_there("late"));
    pass(120s);
    CHECK_FALSE(is_there("late"));
    CHECK(is_there("foreign"));
    CHECK_THAT(numbers.expose(), Catch::Matchers::Contains("portitor_registrations_left_on_chain_total 1"));
}

TEST_CASE_METHOD(
    controller_world, "a request of an offer that the selector leaves out is left alone", "[controller]"
)
{
    options.offer_selector = "mine=yes";
    const auto offer = create(service_offer_resource, offer_text("others"));
    create(api::registration_request_resource, request_text("others", offer->meta.uid));
    start();
    REQUIRE(wait([&] { return ready() == 200; }));
    pass(5s);
    const auto request = live(api::registration_request_resource, "others-registration");
    REQUIRE(request);
    CHECK_FALSE(request->meta.deleted);
    CHECK(request->spec().if_contains("desiredState") == nullptr);
}

TEST_CASE_METHOD(
    hurried_world, "a clock that is ahead lets no registration go before its time", "[controller]"
)
{
    options.deletion_deadline = 10s;
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    const std::string uid = live(service_offer_resource, "hello")->meta.uid;
    create(api::registration_request_resource, request_text("hello", uid));
    report(
        api::registration_request_resource,
        "hello-registration",
        R"({"phase":"Confirmed","agentId":"7","txHash":"0xabc"})"
    );
    remove(service_offer_resource, "hello");
    pass(8s);
    CHECK(exists(service_offer_resource, "hello"));
    CHECK(exists(api::registration_request_resource, "hello-registration"));
    REQUIRE(wait([&] { return !exists(service_offer_resource, "hello"); }));
    CHECK_FALSE(exists(api::registration_request_resource, "hello-registration"));
}
