#include "../role_world.hpp"
#include "roles/controller/controller.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

#include <iostream>

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

using api::http_route_resource;
using api::middleware_resource;
using api::payment_route_resource;
using api::service_offer_resource;

std::string offer_text(const std::string& name, const std::string& network = "base-sepolia")
{
    return R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer",)"
           R"("metadata":{"namespace":"shop","name":")" +
           name +
           R"("},"spec":{"upstream":{"service":"web","port":8080,"healthPath":"/health"},"payment":{"network":")" +
           network +
           R"(","payTo":"0x00000000000000000000000000000000000000aB","price":{"perRequest":"0.01"}}}})";
}

// What the controller makes for an offer with that uid.
std::string request_text(const std::string& offer, const std::string& uid, const std::string& more_spec = "")
{
    return R"({"apiVersion":"obol.org/v1alpha1","kind":"RegistrationRequest","metadata":{"namespace":"shop","name":")" +
           api::registration_name(offer) +
           R"(","finalizers":["obol.org/portitor"],"ownerReferences":[{"apiVersion":"obol.org/v1alpha1",)"
           R"("kind":"ServiceOffer","name":")" +
           offer + R"(","uid":")" + uid + R"(","controller":true}]},"spec":{"name":"x",)" + more_spec +
           R"("chain":"base-sepolia","registry":"0x8004A818BFB912233c491871b3d84c89A494BD9e",)"
           R"("agentURI":"https://a.example/u.json"}})";
}

// Fails a call in the way that a fault in the code would.
class faulty_api final : public kube::api
{
public:
    explicit faulty_api(std::unique_ptr<kube::api> to, const bool& broken, std::string of)
        : to_(std::move(to)), broken_(broken), of_(std::move(of))
    {}

    asio::awaitable<kube::api_result<kube::object_ptr>>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        return to_->get(kind, std::move(key), urgency);
    }
    asio::awaitable<kube::api_result<kube::list_page>> list(
        kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
    ) override
    {
        return to_->list(kind, std::move(which), std::move(from), std::move(each));
    }
    asio::awaitable<kube::api_result<std::unique_ptr<http::body_stream>>> watch(
        kube::resource kind, kube::selection which, std::string version, std::chrono::seconds timeout
    ) override
    {
        return to_->watch(kind, std::move(which), std::move(version), timeout);
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    apply(kube::resource kind, json::object wanted, kube::apply_options how) override
    {
        if (broken_ && kube::string_at(wanted, "metadata.name") == of_)
            throw std::runtime_error("a fault for the test");
        return to_->apply(kind, std::move(wanted), std::move(how));
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    patch(kube::resource kind, kube::object_key key, json::array operations) override
    {
        return to_->patch(kind, std::move(key), std::move(operations));
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    replace(kube::resource kind, json::object whole, kube::request_class urgency) override
    {
        return to_->replace(kind, std::move(whole), urgency);
    }
    asio::awaitable<kube::api_result<kube::object_ptr>>
    create(kube::resource kind, json::object wanted, kube::request_class urgency) override
    {
        return to_->create(kind, std::move(wanted), urgency);
    }
    asio::awaitable<kube::api_result<void>>
    remove(kube::resource kind, kube::object_key key, kube::delete_options which) override
    {
        return to_->remove(kind, std::move(key), std::move(which));
    }

private:
    std::unique_ptr<kube::api> to_;
    const bool& broken_;
    std::string of_;
};

struct controller_world : role_world
{
    controller::options options = config::defaults<controller::options>();

    controller_world() { options.listen.clear(); }

    void start()
    {
        role_world::start([&](const process& around) { return make_controller(around, options); });
    }

    bool has_children(const std::string& offer) const
    {
        return exists(middleware_resource, api::middleware_name(offer)) &&
               exists(http_route_resource, api::http_route_name(offer)) &&
               exists(payment_route_resource, api::payment_route_name(offer));
    }
    bool has_any_child(const std::string& offer) const
    {
        return exists(middleware_resource, api::middleware_name(offer)) ||
               exists(http_route_resource, api::http_route_name(offer)) ||
               exists(payment_route_resource, api::payment_route_name(offer));
    }
    std::string said(const std::string& offer, const std::string& type) const
    {
        return condition(service_offer_resource, offer, type);
    }
    /// There is a status about the present generation.
    bool is_judged(const std::string& offer) const
    {
        const auto of = live(service_offer_resource, offer);
        return of && kube::int_at(of->raw, "status.observedGeneration") == of->meta.generation;
    }
    bool converged(const std::string& offer) const { return has_children(offer) && is_judged(offer); }

    /// The gateway's controller and the verifier are content.
    void publish(const std::string& offer)
    {
        const std::string route = api::http_route_name(offer);
        const auto generation = std::to_string(live(http_route_resource, route)->meta.generation);
        const auto accepted = [&](const std::string& type) {
            return R"({"type":")" + type + R"(","status":"True","reason":")" + type +
                   R"(","message":"","observedGeneration":)" + generation + "}";
        };
        report(
            http_route_resource,
            route,
            R"({"parents":[{"parentRef":{"namespace":"traefik","name":"traefik-gateway"},"controllerName":)"
            R"("traefik.io/gateway-controller","conditions":[)" +
                accepted("Accepted") + "," + accepted("ResolvedRefs") + "]}]}"
        );
        const std::string payment = api::payment_route_name(offer);
        const auto admitted = std::to_string(live(payment_route_resource, payment)->meta.generation);
        report(
            payment_route_resource,
            payment,
            R"({"admitted":true,"lastAdmittedGeneration":)" + admitted +
                R"(,"conditions":[{"type":"Admitted","status":"True","reason":"Served","message":"","observedGeneration":)" +
                admitted + "}]}"
        );
    }
};

}  // namespace

TEST_CASE_METHOD(
    controller_world, "an offer becomes its children, with a finalizer and a status", "[controller]"
)
{
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    const auto offer = live(service_offer_resource, "hello");
    CHECK(offer->meta.has_finalizer(api::finalizer));
    CHECK(kube::string_at(offer->raw, "status.phase") == "Pending");
    CHECK(said("hello", "PaymentGateReady") == "Unknown WaitingForAdmission");
    for (const auto& [kind, name] :
         {std::pair(middleware_resource, api::middleware_name("hello")),
          std::pair(http_route_resource, api::http_route_name("hello")),
          std::pair(payment_route_resource, api::payment_route_name("hello"))})
    {
        const auto child = live(kind, name);
        REQUIRE(child->meta.controller());
        CHECK(child->meta.controller()->uid == offer->meta.uid);
    }
    publish("hello");
    REQUIRE(wait([&] {
        return said("hello", "PaymentGateReady") == "True Admitted" &&
               said("hello", "RoutePublished") == "True Published";
    }));
    // And then there is peace.
    pass(2s);
    const auto version = server.storage().version();
    pass(1s);
    CHECK(server.storage().version() <= version + 2);  // the Lease is renewed
    CHECK(ready() == 200);
    CHECK(end() == 0);
}

TEST_CASE_METHOD(controller_world, "offers that were there before it are taken up", "[controller]")
{
    for (int i = 0; i < 20; ++i)
        create(service_offer_resource, offer_text(fmt::format("offer-{}", i)));
    start();
    REQUIRE(wait([&] {
        for (int i = 0; i < 20; ++i)
        {
            if (!converged(fmt::format("offer-{}", i)))
                return false;
        }
        return true;
    }));
}

TEST_CASE_METHOD(controller_world, "a child that is deleted or edited by hand is made again", "[controller]")
{
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    const std::string middleware = api::middleware_name("hello");
    const std::string route = api::http_route_name("hello");
    const std::string payment = api::payment_route_name("hello");

    const auto first = live(middleware_resource, middleware);
    remove(middleware_resource, middleware);
    REQUIRE(wait([&] { return exists(middleware_resource, middleware); }));
    CHECK(live(middleware_resource, middleware)->meta.uid != first->meta.uid);
    CHECK(live(middleware_resource, middleware)->spec() == first->spec());

    const auto wanted = live(http_route_resource, route);
    patch(http_route_resource, route, R"([{"op":"add","path":"/spec/hostnames","value":["evil.example"]}])");
    REQUIRE(wait([&] { return live(http_route_resource, route)->spec() == wanted->spec(); }));
    CHECK(live(http_route_resource, route)->meta.uid == wanted->meta.uid);

    const auto price = live(payment_route_resource, payment)->spec().at("price");
    patch(payment_route_resource, payment, R"([{"op":"replace","path":"/spec/price","value":"1"}])");
    REQUIRE(wait([&] { return live(payment_route_resource, payment)->spec().at("price") == price; }));
}

TEST_CASE_METHOD(controller_world, "an edit of the offer reaches what is sold", "[controller]")
{
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    patch(
        service_offer_resource,
        "hello",
        R"([{"op":"replace","path":"/spec/payment/price/perRequest","value":"0.02"}])"
    );
    REQUIRE(wait([&] {
        return live(payment_route_resource, api::payment_route_name("hello"))->spec().at("price") == "20000";
    }));
}

TEST_CASE_METHOD(controller_world, "the deletion of an offer removes all that was made of it", "[controller]")
{
    start();
    create(service_offer_resource, offer_text("hello"));
    create(service_offer_resource, offer_text("other"));
    REQUIRE(wait([&] { return converged("hello") && converged("other"); }));
    remove(service_offer_resource, "hello");
    REQUIRE(wait([&] { return !exists(service_offer_resource, "hello"); }));
    CHECK_FALSE(has_any_child("hello"));
    CHECK(has_children("other"));
}

TEST_CASE_METHOD(
    controller_world, "an offer that cannot be read says so, and stops nobody else", "[controller]"
)
{
    start();
    create(
        service_offer_resource,
        R"({"metadata":{"namespace":"shop","name":"broken"},"spec":{"upstream":"web","payment":17}})"
    );
    create(service_offer_resource, R"({"metadata":{"namespace":"shop","name":"empty"}})");
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello") && is_judged("broken") && is_judged("empty"); }));
    CHECK(said("broken", "PaymentGateReady") == "False InvalidSpec");
    CHECK(said("empty", "PaymentGateReady") == "False InvalidSpec");
    CHECK_FALSE(has_any_child("broken"));

    // One that was sold and cannot be read any more is sold no longer, nor at its old terms.
    patch(service_offer_resource, "hello", R"([{"op":"replace","path":"/spec/payment","value":17}])");
    REQUIRE(wait([&] {
        return !has_any_child("hello") && said("hello", "PaymentGateReady") == "False InvalidSpec";
    }));
}

TEST_CASE_METHOD(controller_world, "a dry run writes nothing", "[controller]")
{
    options.dry_run = true;
    options.resolve().value();
    create(service_offer_resource, offer_text("hello"));
    const auto version = server.storage().version();
    start();
    REQUIRE(wait([&] { return ready() == 200; }));
    pass(20s);
    CHECK(server.storage().version() == version);
    CHECK(end() == 0);
    CHECK(server.storage().version() == version);
}

TEST_CASE_METHOD(
    controller_world, "an exception fails its own key, which says so, and is tried again", "[controller]"
)
{
    bool broken = true;
    between = [&](std::unique_ptr<kube::api> to) -> std::unique_ptr<kube::api> {
        return std::make_unique<faulty_api>(std::move(to), broken, api::payment_route_name("cursed"));
    };
    start();
    create(service_offer_resource, offer_text("cursed"));
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello") && said("cursed", "Ready") == "False InternalError"; }));
    CHECK_FALSE(exists(payment_route_resource, api::payment_route_name("cursed")));
    CHECK_THAT(
        numbers.expose(),
        Catch::Matchers::Contains("controller_runtime_reconcile_panics_total{controller=\"serviceoffer\"}")
    );
    CHECK_FALSE(ended());
    broken = false;
    REQUIRE(wait([&] { return converged("cursed"); }));
    REQUIRE(wait([&] { return said("cursed", "Ready") != "False InternalError"; }));
}

TEST_CASE_METHOD(controller_world, "an API server that is away is waited for", "[controller]")
{
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    server.stop();
    server.storage().remove(sandbox::kind_id(middleware_resource), key(api::middleware_name("hello")));
    pass(2s);
    CHECK_FALSE(ended());
    server.start();
    REQUIRE(wait([&] { return has_children("hello"); }));
}

TEST_CASE_METHOD(controller_world, "it ends in order, and lets its Lease go", "[controller]")
{
    start();
    create(service_offer_resource, offer_text("hello"));
    REQUIRE(wait([&] { return converged("hello"); }));
    const std::string lease = sandbox::kind_id(api::lease_resource);
    const kube::object_key name{options.lease.ns, "portitor-controller"};
    CHECK_FALSE(kube::string_at(server.storage().get(lease, name).body, "spec.holderIdentity").empty());
    CHECK(end() == 0);
    CHECK(kube::string_at(server.storage().get(lease, name).body, "spec.holderIdentity").empty());
    // What is sold goes on being sold.
    CHECK(has_children("hello"));
}

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

TEST_CASE("from its start to the first offer that has converged it takes milliseconds", "[controller]")
{
    const auto started = std::chrono::steady_clock::now();
    controller_world w;
    w.start();
    w.create(service_offer_resource, offer_text("hello"));
    REQUIRE(w.wait([&] { return w.converged("hello"); }));
    const auto took = std::chrono::steady_clock::now() - started;
    std::cout << fmt::format(
        "a controller's first offer has converged after {:.1f} ms\n",
        std::chrono::duration<double, std::milli>(took).count()
    );
    CHECK(took < 1s);
}
