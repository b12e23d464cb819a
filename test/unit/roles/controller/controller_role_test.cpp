#include "controller_world.hpp"

#include <iostream>

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

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

namespace {

// As a user replaces a field.
void put(
    role_world& in,
    const kube::resource& kind,
    const char* name,
    const std::string& field,
    const std::string& value
)
{
    in.patch(kind, name, R"([{"op":"replace","path":")" + field + R"(","value":)" + value + "}]");
}

std::string service_text(const std::string& spec)
{
    return R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},"spec":)" +
           spec + "}";
}

}  // namespace

TEST_CASE_METHOD(
    controller_world, "an upstream that becomes an ExternalName is taken down, and comes back", "[controller]"
)
{
    create(api::service_resource, service_text(R"({"selector":{"app":"web"}})"));
    create(service_offer_resource, offer_text("hello"));
    start();
    CHECK(wait([&] { return converged("hello"); }));
    put(*this,
        api::service_resource,
        "web",
        "/spec",
        R"({"type":"ExternalName","externalName":"kubernetes.default.svc"})");
    CHECK(wait([&] {
        return said("hello", "UpstreamHealthy") == "False ExternalNameUpstream" && !has_any_child("hello");
    }));
    put(*this, api::service_resource, "web", "/spec", R"({"selector":{"app":"web"}})");
    CHECK(wait([&] { return has_children("hello"); }));
}

TEST_CASE_METHOD(
    controller_world,
    "a verifier that is gone for a moment is not told of, one that stays away is",
    "[controller]"
)
{
    const auto slice = [](bool ready) {
        return fmt::format(
            R"([{{"addresses":["10.0.0.1"],"conditions":{{"ready":{}}}}}])", ready ? "true" : "false"
        );
    };
    options.gateway.verifier_service = {"shop", "verifier"};
    create(
        api::endpoint_slice_resource,
        R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"namespace":"shop",)"
        R"("name":"verifier","labels":{"kubernetes.io/service-name":"verifier"}},"addressType":"IPv4","endpoints":)" +
            slice(true) + "}"
    );
    create(service_offer_resource, offer_text("hello"));
    start();
    REQUIRE(wait([&] { return converged("hello"); }));
    // Nothing answers at the upstream, so that the terms change once more.
    REQUIRE(wait([&] {
        const auto route = live(payment_route_resource, api::payment_route_name("hello"));
        return route && kube::bool_at(route->spec(), "suspended");
    }));
    publish("hello");
    REQUIRE(wait([&] { return said("hello", "PaymentGateReady") == "True Admitted"; }));
    const auto written = [&] { return live(service_offer_resource, "hello")->meta.resource_version; };
    pass(1s);
    const std::string before = written();
    put(*this, api::endpoint_slice_resource, "verifier", "/endpoints", slice(false));
    pass(1500ms);
    put(*this, api::endpoint_slice_resource, "verifier", "/endpoints", slice(true));
    pass(1s);
    CHECK(said("hello", "PaymentGateReady") == "True Admitted");

    put(*this, api::endpoint_slice_resource, "verifier", "/endpoints", slice(false));
    pass(1500ms);
    CHECK(said("hello", "PaymentGateReady") == "True Admitted");
    pass(8500ms);
    CHECK(said("hello", "PaymentGateReady") == "False NoVerifierEndpoints");
    put(*this, api::endpoint_slice_resource, "verifier", "/endpoints", slice(true));
    CHECK(wait([&] { return said("hello", "PaymentGateReady") == "True Admitted"; }));
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

TEST_CASE_METHOD(
    controller_world,
    "while the API server does not answer it is not ready, and ends at once when told to",
    "[controller]"
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

TEST_CASE_METHOD(controller_world, "an offer that loses its label is let go, with its path", "[controller]")
{
    options.offer_selector = "sell=yes";
    const auto text = [](const std::string& name, const std::string& labels) {
        std::string out = offer_text(name);
        const std::string spec = R"("spec":{)";
        out.replace(out.find(spec), spec.size(), spec + R"("path":"/shared",)");
        const std::string end = R"("name":")" + name + "\"";
        return out.replace(out.find(end), end.size(), end + R"(,"labels":)" + labels);
    };
    start();
    create(service_offer_resource, text("older", R"({"sell":"yes"})"));
    REQUIRE(wait([&] { return converged("older"); }));
    pass(2s);
    create(service_offer_resource, text("younger", R"({"sell":"yes"})"));
    create(service_offer_resource, text("others", "{}"));
    REQUIRE(wait([&] { return said("younger", "RoutePublished") == "False PathConflict"; }));
    const auto unlabelled = live(service_offer_resource, "others");
    CHECK(unlabelled->meta.finalizers.empty());
    CHECK(unlabelled->status().empty());

    patch(
        service_offer_resource,
        "older",
        R"([{"op":"replace","path":"/metadata/labels","value":{"sell":"no"}}])"
    );
    REQUIRE(wait([&] { return converged("younger"); }));
    REQUIRE(wait([&] { return live(service_offer_resource, "older")->meta.finalizers.empty(); }));
    CHECK_FALSE(has_any_child("older"));
    CHECK(said("older", "Ready") == "False NotSelected");
    remove(service_offer_resource, "older");
    CHECK_FALSE(exists(service_offer_resource, "older"));
}

namespace {

// Offers, Services and routes of namespaces whose names the gateway joins with those of what is in them.
struct neighbours : controller_world
{
    std::string offer_in(const std::string& ns, const std::string& name, const std::string& service) const
    {
        std::string out = offer_text(name);
        const auto put = [&](const std::string& old, const std::string& text) {
            out.replace(out.find(old), old.size(), text);
        };
        put(R"("namespace":"shop")", R"("namespace":")" + ns + "\"");
        put(R"("service":"web")", R"("service":")" + service + "\"");
        return out;
    }
    kube::object_ptr at(const kube::resource& kind, const std::string& ns, const std::string& name) const
    {
        const sandbox::answer got = server.storage().get(sandbox::kind_id(kind), {ns, name});
        return got.good() ? kube::parse_object(got.body).value() : nullptr;
    }
    std::string published(const std::string& ns, const std::string& offer) const
    {
        const auto of = at(service_offer_resource, ns, offer);
        const auto all = of ? kube::parse_conditions(of->status()) : std::vector<kube::condition>();
        const kube::condition* found = kube::find_condition(all, "RoutePublished");
        return found ? found->status + " " + found->reason : std::string();
    }
    bool has_route(const std::string& ns, const std::string& offer) const
    {
        return at(http_route_resource, ns, api::http_route_name(offer)) != nullptr;
    }
    void drop(const kube::resource& kind, const std::string& ns, const std::string& name)
    {
        server.storage().remove(sandbox::kind_id(kind), {ns, name});
    }
};

}  // namespace

TEST_CASE_METHOD(
    neighbours, "of two Services that are one to the gateway one is sold", "[controller][conflicts]"
)
{
    start();
    create(service_offer_resource, offer_in("shop-a", "dear", "web"));
    REQUIRE(wait([&] { return has_route("shop-a", "dear"); }));
    create(service_offer_resource, offer_in("shop", "cheap", "a-web"));
    REQUIRE(wait([&] { return published("shop", "cheap") == "False NameClash"; }));
    pass(3s);
    CHECK(has_route("shop-a", "dear"));
    CHECK_FALSE(has_route("shop", "cheap"));
    // An older one that comes later does not take it either.
    create(service_offer_resource, offer_in("shop", "other", "plain"));
    REQUIRE(wait([&] { return has_route("shop", "other"); }));
    drop(service_offer_resource, "shop-a", "dear");
    REQUIRE(wait([&] { return has_route("shop", "cheap"); }));
    CHECK_FALSE(has_route("shop-a", "dear"));
}

TEST_CASE_METHOD(
    neighbours, "of two such offers that are published at once the older is left", "[controller][conflicts]"
)
{
    create(service_offer_resource, offer_in("shop-a", "dear", "web"));
    pass(2s);
    create(service_offer_resource, offer_in("shop", "cheap", "a-web"));
    start();
    REQUIRE(wait([&] {
        return published("shop", "cheap") == "False NameClash" && has_route("shop-a", "dear");
    }));
    pass(5s);
    CHECK(has_route("shop-a", "dear"));
    CHECK_FALSE(has_route("shop", "cheap"));
}

TEST_CASE_METHOD(
    neighbours,
    "a Middleware that is an offer's gate to the gateway takes the offer down",
    "[controller][conflicts]"
)
{
    start();
    create(service_offer_resource, offer_in("shop-a", "dear", "web"));
    REQUIRE(wait([&] { return has_route("shop-a", "dear"); }));
    create(
        middleware_resource,
        R"({"apiVersion":"traefik.io/v1alpha1","kind":"Middleware",)"
        R"("metadata":{"namespace":"shop","name":"a-x402-dear"},"spec":{"headers":{}}})"
    );
    REQUIRE(wait([&] { return published("shop-a", "dear") == "False NameClash"; }));
    REQUIRE(wait([&] { return !has_route("shop-a", "dear"); }));
    drop(middleware_resource, "shop", "a-x402-dear");
    REQUIRE(wait([&] { return has_route("shop-a", "dear"); }));
}

TEST_CASE_METHOD(
    neighbours,
    "a route by hand does not pass for one that Portitor is about to take down",
    "[controller][conflicts]"
)
{
    start();
    create(service_offer_resource, offer_in("shop-a", "dear", "web"));
    REQUIRE(wait([&] { return has_route("shop-a", "dear"); }));
    pass(2s);
    create(service_offer_resource, offer_in("shop", "younger", "plain"));
    REQUIRE(wait([&] { return has_route("shop", "younger"); }));
    const std::string uid = at(service_offer_resource, "shop", "younger")->meta.uid;
    create(
        http_route_resource,
        R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"namespace":"shop","name":"free",)"
        R"("ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":"younger","uid":")" +
            uid +
            R"(","controller":true}]},"spec":{"parentRefs":[{"namespace":"traefik","name":"traefik-gateway"}],)"
            R"("rules":[{"backendRefs":[{"name":"a-web","port":8080}]}]}})"
    );
    REQUIRE(wait([&] { return published("shop-a", "dear") == "False NameClash"; }));
    REQUIRE(wait([&] { return !has_route("shop-a", "dear"); }));
    drop(http_route_resource, "shop", "free");
    REQUIRE(wait([&] { return has_route("shop-a", "dear"); }));
}
