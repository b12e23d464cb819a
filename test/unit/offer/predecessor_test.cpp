#include "catch.hpp"
#include "offer_world.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/payment_route.hpp>

using namespace portitor;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::object_from;
using test::world;

namespace {

kube::condition said(const world& all, std::string_view type)
{
    const auto conditions = kube::parse_conditions(all.offer->status());
    const auto* found = kube::find_condition(conditions, type);
    return found ? *found : kube::condition{};
}

kube::object_ptr foreign_request(const world& all)
{
    auto made = object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "RegistrationRequest",
        "metadata": {"name": "hello-registration", "namespace": "shop", "uid": "theirs", "resourceVersion": "1",
                     "finalizers": ["obol.org/portitor"],
                     "labels": {"app.kubernetes.io/managed-by": "portitor", "obol.org/serviceoffer": "hello"},
                     "ownerReferences": [{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello",
                                          "uid": "offer-uid", "controller": true}]},
        "spec": {"serviceOfferName": "hello", "serviceOfferNamespace": "shop", "desiredState": "Active"},
        "status": {"phase": "Confirmed", "agentId": "7"}
    })");
    CHECK(all.offer->meta.uid == "offer-uid");
    return made;
}

}  // namespace

TEST_CASE("what is not sold is named, and withholds where something else would be sold", "[controller][peer]")
{
    struct unsold
    {
        const char* pointer;
        const char* value;
        bool withholds;
        const char* field;
    };
    const auto [pointer, value, withholds, field] = GENERATE(values<unsold>({
        {"/spec/type", R"("agent")", true, "spec.type: agents"},
        {"/spec/type", R"("fine-tuning")", true, "spec.type: fine-tuning"},
        {"/spec/payments",
         R"([{"network": "base-sepolia"}, {"network": "base"}])",
         true,
         "and 2 are written"},
        {"/spec/payments", R"([{"network": "base"}])", true, "is not the same as spec.payment"},
        {"/spec/async", R"({"enabled": true})", true, "spec.async"},
        {"/spec/payment/price", R"({"perEpoch": "1"})", true, "spec.payment.price.perEpoch"},
        {"/spec/routes", R"([{"path": "/a"}, {"path": "/b", "gate": "auth"}])", true, "spec.routes[1].gate"},
        {"/spec/routes", R"([{"path": "/a", "freeQuota": 5}])", true, "spec.routes[0].freeQuota"},
        {"/spec/payment/price", R"({"perRequest": "0.01", "perEpoch": "1"})", false, "perEpoch"},
        {"/spec/routes", R"([{"path": "/a", "summary": "s"}])", false, "spec.routes[0].summary"},
        {"/spec/listing", R"({"category": "a"})", false, "spec.listing"},
        {"/spec/branding", R"({"displayName": "a"})", false, "spec.branding"},
        {"/spec/provenance", R"({"framework": "a"})", false, "spec.provenance"},
        {"/spec/agent", R"({"ref": {"name": "a", "namespace": "b"}})", false, "spec.agent"},
    }));
    CAPTURE(pointer, value);
    world all;
    all.sell();
    all.edit(pointer, value);
    all.settle();
    const auto told = said(all, "NotSupported");
    CHECK(told.status == "True");
    CHECK(told.reason == (withholds ? "NotSold" : "Ignored"));
    CHECK_THAT(told.message, Contains(field));
    CHECK((all.seen.http_route == nullptr) == withholds);
    CHECK((all.seen.payment_route == nullptr) == withholds);
    if (withholds)
    {
        CHECK(said(all, "Ready").reason == "NotSold");
        CHECK_THAT(said(all, "Ready").message, Contains(field));
        CHECK(said(all, "RoutePublished").reason == "Withheld");
    }
}

TEST_CASE("what says nothing else is sold in silence", "[controller][peer]")
{
    struct harmless
    {
        const char* pointer;
        const char* value;
    };
    const auto [pointer, value] = GENERATE(values<harmless>({
        {"/spec/payments", "[]"},
        {"/spec/payments",
         R"([{"network": "base-sepolia", "payTo": "0x00000000000000000000000000000000000000AB",
              "price": {"perRequest": "0.01"}}])"},
        {"/spec/async", R"({"enabled": false, "ttl": "72h"})"},
        {"/spec/routes", R"([{"path": "/a", "freeQuota": 0, "summary": ""}])"},
        {"/spec/branding", "{}"},
    }));
    CAPTURE(pointer, value);
    world all;
    all.sell();
    all.edit(pointer, value);
    all.settle();
    CHECK(said(all, "NotSupported").type.empty());
    CHECK(all.seen.http_route);
}

TEST_CASE("an offer that the predecessor holds is left alone until it lets go", "[controller][peer]")
{
    world all;
    all.offer = changed(all.offer, "/metadata/finalizers", R"(["monetize.obol.org/finalizer"])");
    CHECK(all.look().empty());
    CHECK_FALSE(all.look().ask.upstream);
    CHECK(make_fault_plan(all.observation(), "a fault", all.now).empty());
    all.mark_deleted();
    CHECK(all.look().empty());
    all.offer = changed(all.offer, "/metadata/deletionTimestamp", "");

    all.offer = changed(all.offer, "/metadata/finalizers", "[]");
    CHECK(all.look().add_finalizer);
    all.sell();
    CHECK(all.seen.http_route);
    // Once it is ours, nobody takes it away by a finalizer of that name.
    all.offer =
        changed(all.offer, "/metadata/finalizers", R"(["monetize.obol.org/finalizer", "obol.org/portitor"])");
    CHECK(all.look().empty());
    all.edit("/spec/payment/price/perRequest", "\"0.02\"");
    CHECK_FALSE(all.look().empty());
}

TEST_CASE("a request of the predecessor's kind is nobody's child, whatever it says", "[controller][peer]")
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true})");
    all.seen.registration = foreign_request(all);
    CHECK(api::is_predecessors(*all.seen.registration));
    CHECK_FALSE(api::is_made_for(*all.seen.registration, all.offer->meta));
    all.sell();
    CHECK(said(all, "Registered").reason == "NameTaken");
    CHECK(kube::string_at(all.offer->status(), "agentId").empty());
    all.mark_deleted();
    all.settle();
    CHECK(all.seen.registration);
    CHECK_FALSE(all.offer);
}

TEST_CASE("what the served schemas lack is not written", "[controller][peer]")
{
    world all;
    all.seen.served.offer_phase = false;
    all.seen.served.offer_condition_generation = false;
    all.seen.served.request_lacks = "spec.name";
    all.edit("/spec/registration", R"({"enabled": true})");
    all.sell();
    CHECK_FALSE(all.offer->status().contains("phase"));
    for (const auto& each : kube::array_at(all.offer->status(), "conditions"))
        CHECK_FALSE(each.as_object().contains("observedGeneration"));
    CHECK(said(all, "Ready").is_true());
    CHECK_FALSE(all.seen.registration);
    CHECK(said(all, "Registered").reason == "ForeignSchema");
    CHECK_THAT(said(all, "Registered").message, Contains("lacks spec.name"));
    CHECK(all.look().empty());
    // They stand for the generation that the whole status is of.
    const record_ptr read = offer_record::read(*all.offer);
    CHECK(read->status.find_present("Ready", read->meta.generation));

    all.seen.served = {};
    all.settle();
    CHECK(all.offer->status().contains("phase"));
    CHECK(all.seen.registration);
}

TEST_CASE("limits are Middlewares before the gate", "[controller][peer]")
{
    world all;
    all.edit("/spec/limits", R"({"maxInFlight": 4, "rps": 10})");
    all.sell();
    REQUIRE(all.seen.in_flight);
    REQUIRE(all.seen.rate);
    CHECK(kube::int_at(all.seen.in_flight->spec(), "inFlightReq.amount") == 4);
    CHECK(kube::int_at(all.seen.rate->spec(), "rateLimit.average") == 10);
    const auto order = [&] {
        std::string out;
        const auto& rule = kube::array_at(all.seen.http_route->spec(), "rules").at(0).as_object();
        for (const auto& each : kube::array_at(rule, "filters"))
            out += kube::string_at(each.as_object(), "extensionRef.name") + " ";
        return out;
    };
    CHECK_THAT(order(), Catch::Matchers::StartsWith("inflight-hello rate-hello x402-hello "));

    // The route lets go of one before it is taken away.
    all.edit("/spec/limits", R"({"rps": 0, "maxInFlight": 4})");
    const auto first = all.step();
    CHECK(first.removes.empty());
    CHECK_THAT(order(), Catch::Matchers::StartsWith("inflight-hello x402-hello "));
    all.settle();
    CHECK_FALSE(all.seen.rate);
    CHECK(all.seen.in_flight);

    all.mark_deleted();
    all.settle();
    CHECK_FALSE(all.seen.in_flight);
}

TEST_CASE("somebody else's limit is not gone through", "[controller][peer]")
{
    world all;
    all.edit("/spec/limits", R"({"rps": 1})");
    all.seen.rate =
        object_from(R"({"kind": "Middleware", "metadata": {"name": "rate-hello", "namespace": "shop"},
                                    "spec": {"rateLimit": {"average": 1}}})");
    all.settle();
    CHECK(said(all, "PaymentGateReady").reason == "NameTaken");
    CHECK_FALSE(all.seen.http_route);
}

TEST_CASE("the methods of a path are in its rule", "[controller][peer]")
{
    world all;
    all.edit(
        "/spec/routes", R"([{"path": "/submit", "methods": ["POST"]}, {"path": "/docs", "gate": "free"}])"
    );
    all.sell();
    const auto route = api::parse_payment_route(*all.seen.payment_route);
    REQUIRE(route.has_value());
    CHECK(route->rules[0].methods == std::vector<std::string>{"POST"});
    CHECK(route->rules[1].methods.empty());
}

TEST_CASE("a long registration is not registered, and the offer is sold", "[controller][peer]")
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true, "image": ")" + std::string(2049, 'x') + R"("})");
    all.sell();
    CHECK(said(all, "Ready").is_true());
    CHECK(said(all, "Registered").reason == "InvalidSpec");
    CHECK_THAT(said(all, "Registered").message, Contains("spec.registration.image"));
    CHECK_FALSE(all.seen.registration);
}
