#include "catch.hpp"
#include "objects.hpp"

#include <portitor/api/service_offer.hpp>

using namespace portitor;
using namespace portitor::api;
using test::changed;
using test::object_from;

namespace {

kube::object_ptr least()
{
    return object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
        "metadata": {"name": "hello", "namespace": "shop", "uid": "u1", "generation": 3},
        "spec": {
            "upstream": {"service": "web", "port": 8080},
            "payment": {
                "network": "base-sepolia",
                "payTo": "0x00000000000000000000000000000000000000AB",
                "price": {"perRequest": "0.01"}
            }
        }
    })");
}

std::string refusal(const kube::object_ptr& offer)
{
    const auto parsed = parse_service_offer(*offer);
    return parsed ? "" : parsed.error().message();
}

}  // namespace

TEST_CASE("an offer gets every default", "[api][offer]")
{
    const auto offer = parse_service_offer(*least());
    REQUIRE(offer.has_value());
    CHECK(offer->meta.generation == 3);
    CHECK(offer->type == offer_type::http);
    CHECK_FALSE(offer->model);
    CHECK(offer->upstream.service == "web");
    CHECK(offer->upstream.ns == "shop");
    CHECK(offer->upstream.port == 8080);
    CHECK(offer->upstream.health_path == "/health");
    CHECK(offer->payment.max_timeout_seconds == 300);
    CHECK(offer->payment.settlement == settlement::before_response);
    CHECK(offer->payment.price.per_request == "0.01");
    CHECK_FALSE(offer->payment.price.per_mtok);
    CHECK_FALSE(offer->payment.asset);
    CHECK(offer->payment.facilitator.empty());
    CHECK(offer->path == "/services/hello");
    CHECK(offer->hostname.empty());
    CHECK(offer->routes.empty());
    CHECK_FALSE(offer->registration.enabled);
    CHECK_FALSE(offer->drain_at);
    CHECK(offer->drain_grace == std::chrono::hours(1));
}

TEST_CASE("an offer is read with all that can be written", "[api][offer]")
{
    const auto offer = parse_service_offer(*object_from(R"({
        "metadata": {"name": "llm", "namespace": "shop"},
        "spec": {
            "type": "inference",
            "model": {"name": "qwen3", "runtime": "vllm"},
            "upstream": {"service": "vllm", "namespace": "ai", "port": 8000, "healthPath": "/v1/models",
                         "credential": "litellm"},
            "payment": {
                "scheme": "exact", "network": "eip155:8453", "payTo": "0x00000000000000000000000000000000000000AB",
                "maxTimeoutSeconds": 60, "facilitator": "own", "settlement": "afterResponse",
                "price": {"perMTok": "2.5", "perHour": "1"},
                "asset": {"address": "0x00000000000000000000000000000000000000cD", "symbol": "USDC", "decimals": 6,
                          "transferMethod": "eip3009", "eip712Name": "USD Coin", "eip712Version": "2"}
            },
            "hostname": "llm.example.com",
            "path": "/v1",
            "routes": [{"path": "/models", "gate": "free"}, {"path": "/big/*", "price": {"perRequest": "1"}},
                       {"path": "/"}],
            "registration": {
                "enabled": true, "chain": "base-sepolia", "name": "LLM", "description": "d", "image": "i",
                "services": [{"name": "web", "endpoint": "https://x", "version": "1"}],
                "supportedTrust": ["reputation"], "skills": ["s"], "domains": ["d"], "metadata": {"k": "v"},
                "privateKeySecret": {"name": "key"}
            },
            "drainAt": "2026-12-31T20:30:00+02:30",
            "drainGracePeriod": "1h30m"
        }
    })"));
    REQUIRE(offer.has_value());
    CHECK(offer->type == offer_type::inference);
    CHECK(offer->model->name == "qwen3");
    CHECK(offer->upstream.ns == "ai");
    CHECK(offer->upstream.credential == "litellm");
    CHECK(offer->payment.settlement == settlement::after_response);
    CHECK(offer->payment.price.per_mtok == "2.5");
    CHECK(offer->payment.asset->decimals == 6);
    CHECK(offer->payment.asset->transfer_method == "eip3009");
    CHECK(offer->path == "/v1");
    REQUIRE(offer->routes.size() == 3);
    CHECK(offer->routes[0].access == gate::free);
    CHECK(offer->routes[1].own_price->per_request == "1");
    CHECK(offer->routes[2].access == gate::paid);
    CHECK_FALSE(offer->routes[2].own_price);
    CHECK(offer->registration.services.at(0).version == "1");
    CHECK(offer->registration.metadata.at("k") == "v");
    CHECK(offer->registration.private_key_secret->key == "keystore.json");
    CHECK(to_rfc3339(*offer->drain_at) == "2026-12-31T18:00:00Z");
    CHECK(offer->drain_grace == std::chrono::minutes(90));
}

TEST_CASE("a wrong offer is refused with its field and what to write", "[api][offer]")
{
    struct wrong_field
    {
        const char* pointer;
        const char* value;
        const char* message;
    };
    const auto [pointer, value, message] = GENERATE(values<wrong_field>({
        {"/spec/type", "\"agent\"", "spec.type must be one of http, inference"},
        {"/spec/upstream", "", "spec.upstream must be given"},
        {"/spec/upstream", "7", "spec.upstream must be a mapping"},
        {"/spec/upstream/service", "", "spec.upstream.service must be given"},
        {"/spec/upstream/service", "\"Web\"", "it is \"Web\""},
        {"/spec/upstream/service", "\"api.example.com\"", "api.example.com is a host outside of the cluster"},
        {"/spec/upstream/service", "\"a.b.svc.example.com\"", "a host outside of the cluster"},
        {"/spec/upstream",
         "{\"service\": \"a.b\", \"namespace\": \"c\"}",
         "spec.upstream.namespace must be b"},
        {"/spec/routes",
         "[{\"path\": \"/a\", \"methods\": [\"TRACE\"]}]",
         "spec.routes[0].methods must be of GET"},
        {"/spec/limits", "{\"rps\": -1}", "spec.limits.rps must be a whole number"},
        {"/spec/upstream/port", "0", "spec.upstream.port must be a whole number from 1 to 65535"},
        {"/spec/upstream/port", "65536", "from 1 to 65535"},
        {"/spec/upstream/port", "\"80\"", "from 1 to 65535"},
        {"/spec/upstream/port", "80.5", "from 1 to 65535"},
        {"/spec/upstream/healthPath", "\"health\"", "spec.upstream.healthPath must be a path"},
        {"/spec/upstream/healthPath", "\"/a b\"", "no spaces"},
        {"/spec/upstream/healthPath", "\"/a\\r\\nX: y\"", "no spaces"},
        {"/spec/payment", "", "spec.payment must be given"},
        {"/spec/payment/network", "", "spec.payment.network must be given"},
        {"/spec/payment/network", "\"Base Sepolia\"", "spec.payment.network must be a network"},
        {"/spec/payment/payTo", "", "spec.payment.payTo must be given: an address"},
        {"/spec/payment/payTo", "\"0x0000000000000000000000000000000000000ab\"", "40 hexadecimal digits"},
        {"/spec/payment/payTo", "\"0x00000000000000000000000000000000000000zz\"", "40 hexadecimal digits"},
        {"/spec/payment/price", "", "spec.payment.price must be given"},
        {"/spec/payment/price", "{}", "spec.payment.price must be given"},
        {"/spec/payment/price/perRequest",
         "0.01",
         "spec.payment.price.perRequest must be text: put it in quotes"},
        {"/spec/payment/scheme", "\"upto\"", "spec.payment.scheme must be one of exact"},
        {"/spec/payment/maxTimeoutSeconds", "0", "from 1 to 86400"},
        {"/spec/payment/settlement", "\"never\"", "one of beforeResponse, afterResponse"},
        {"/spec/payment/asset", "{}", "spec.payment.asset must be named"},
        {"/spec/payment/asset", "{\"address\": \"0x1\"}", "spec.payment.asset.address"},
        {"/spec/hostname", "\"localhost\"", "spec.hostname must be a lower-case host name with a point"},
        {"/spec/hostname", "\"https://a.b\"", "spec.hostname"},
        {"/spec/hostname", "\"*.example.com\"", "spec.hostname"},
        {"/spec/path", "\"a\"", "spec.path must be a path"},
        {"/spec/path", "\"/a/\"", "none last"},
        {"/spec/path", "\"/a//b\"", "no empty"},
        {"/spec/path", "\"/a/../b\"", "spec.path"},
        {"/spec/path", "\"/a/.\"", "spec.path"},
        {"/spec/path", "\"/a%2fb\"", "spec.path"},
        {"/spec/path", "\"/a?b\"", "spec.path"},
        {"/spec/routes",
         "[{\"path\": \"/a\"}, {\"path\": \"/a\"}]",
         "spec.routes[1].path must be in the list once"},
        {"/spec/routes", "[{\"path\": \"a\"}]", "spec.routes[0].path must be a path below the offer's"},
        {"/spec/routes", "[{\"path\": \"/a/..\"}]", "spec.routes[0].path"},
        {"/spec/routes", "[{\"path\": \"//\"}]", "spec.routes[0].path"},
        {"/spec/routes",
         "[{\"path\": \"/report/\", \"gate\": \"free\"}, {\"path\": \"/report\"}]",
         "spec.routes[0].path must be a path below the offer's such as /report or /files/*; \"/report/\" "
         "ends "
         "with a slash, which makes no difference: write /report"},
        {"/spec/routes",
         "[{\"path\": \"/a\"}, {\"path\": \"/premium*\"}]",
         "spec.routes[1].path must be a path below the offer's such as /report or /files/*; \"/premium*\" "
         "has a * "
         "beside other letters, where it stands for nothing: write /premium/*"},
        {"/spec/routes", "[{}]", "spec.routes[0].path must be given"},
        {"/spec/routes", "[7]", "spec.routes[0] must be a mapping"},
        {"/spec/routes", "[{\"path\": \"/a\", \"gate\": \"auth\"}]", "one of paid, free"},
        {"/spec/routes",
         "[{\"path\": \"/a\", \"gate\": \"free\", \"price\": {\"perRequest\": \"1\"}}]",
         "must be left out of a free route"},
        {"/spec/drainAt", "\"tomorrow\"", "spec.drainAt must be a time"},
        {"/spec/drainAt", "\"2026-12-31T18:00:00+0x:00\"", "spec.drainAt must be a time as in RFC 3339"},
        {"/spec/drainAt", "\"0001-01-01T00:00:00Z\"", "spec.drainAt must be a time from 1970 to 2199"},
        {"/spec/drainAt", "\"1677-09-21T00:12:43Z\"", "from 1970 to 2199"},
        {"/spec/drainAt", "\"1969-12-31T23:59:59Z\"", "from 1970 to 2199"},
        {"/spec/drainAt", "\"1970-01-01T00:00:00+00:01\"", "from 1970 to 2199"},
        {"/spec/drainAt", "\"2200-01-01T00:00:00Z\"", "leave it out for an offer that has no end"},
        {"/spec/drainAt", "\"2261-12-31T00:00:00Z\"", "from 1970 to 2199"},
        {"/spec/drainAt", "\"2262-04-11T23:47:16Z\"", "from 1970 to 2199"},
        {"/spec/drainAt", "\"9999-12-31T23:59:59-23:59\"", "from 1970 to 2199"},
        {"/spec/drainGracePeriod", "\"1d\"", "spec.drainGracePeriod must be a duration"},
        {"/spec/drainGracePeriod", "\"90\"", "such as 90m"},
        {"/spec/drainGracePeriod", "\"h\"", "such as 90m"},
        {"/spec/drainGracePeriod", "\"999999h\"", "such as 90m"},
        {"/spec/drainGracePeriod", "\"99999h\"", "spec.drainGracePeriod must be at most 87600h"},
        {"/spec/drainGracePeriod", "\"87600h1s\"", "at most 87600h"},
        {"/spec/drainGracePeriod", "\"99999h99999h99999h99999h99999h\"", "at most 87600h"},
    }));
    CAPTURE(pointer, value);
    CHECK_THAT(refusal(changed(least(), pointer, value)), Catch::Matchers::Contains(message));
}

TEST_CASE("an end may be written in all ways that the API server takes", "[api][offer]")
{
    const auto end = [](const std::string& at, const std::string& grace) {
        const auto dated = changed(least(), "/spec/drainAt", '"' + at + '"');
        const auto offer = parse_service_offer(*changed(dated, "/spec/drainGracePeriod", '"' + grace + '"'));
        return std::pair(to_rfc3339(offer.value().drain_at.value()), offer.value().drain_grace);
    };
    using namespace std::chrono_literals;
    CHECK(end("2026-12-31t18:00:00z", "0s") == std::pair(std::string("2026-12-31T18:00:00Z"), 0s));
    CHECK(
        end("2026-12-31T18:00:00.5+02:00", "87600h") ==
        std::pair(std::string("2026-12-31T16:00:00Z"), 315360000s)
    );
    CHECK(end("1970-01-01T00:00:00Z", "1h0m0s") == std::pair(std::string("1970-01-01T00:00:00Z"), 3600s));
    CHECK(end("2200-01-01T00:00:00+00:01", "") == std::pair(std::string("2199-12-31T23:59:00Z"), 3600s));
}

TEST_CASE("lists and texts are bounded", "[api][offer]")
{
    boost::json::array routes;
    for (int i = 0; i < 129; ++i)
        routes.push_back(boost::json::object{{"path", "/a" + std::to_string(i)}});
    const auto spec_of = [&](const boost::json::value& list) {
        auto raw = least()->raw;
        raw["spec"].as_object()["routes"] = list;
        return kube::parse_object(raw).value();
    };
    CHECK_THAT(refusal(spec_of(routes)), Catch::Matchers::Contains("at most 128"));
    routes.pop_back();
    CHECK(refusal(spec_of(routes)).empty());
    const std::string umlauts = [] {
        std::string out;
        for (int i = 0; i < 128; ++i)
            out += "\xc3\xa4";
        return out;
    }();
    const auto named = [&](const std::string& name) {
        const auto offer =
            parse_service_offer(*changed(least(), "/spec/registration", R"({"name": ")" + name + R"("})"));
        return offer.value().registration.unreadable;
    };
    CHECK(named(umlauts).empty());
    CHECK_THAT(named(umlauts + "x"), Catch::Matchers::Contains("at most 128 characters"));
}

TEST_CASE("a registration that cannot be read keeps nobody from buying", "[api][offer]")
{
    struct wrong_registration
    {
        const char* value;
        const char* message;
    };
    const auto [value, message] = GENERATE(values<wrong_registration>({
        {"7", "spec.registration must be a mapping"},
        {"{\"enabled\": \"yes\"}", "spec.registration.enabled must be true or false"},
        {"{\"services\": [{\"name\": \"a\"}]}", "spec.registration.services[0].endpoint"},
        {"{\"skills\": [1]}", "spec.registration.skills"},
        {"{\"metadata\": {\"a\": 1}}", "spec.registration.metadata"},
        {"{\"privateKeySecret\": {}}", "spec.registration.privateKeySecret.name"},
    }));
    CAPTURE(value);
    const auto offer = parse_service_offer(*changed(least(), "/spec/registration", value));
    REQUIRE(offer.has_value());
    CHECK_THAT(offer->registration.unreadable, Catch::Matchers::Contains(message));
}

TEST_CASE("a Service may be named as the cluster names it", "[api][offer]")
{
    struct naming
    {
        const char* service;
        const char* ns;
        const char* expected;
    };
    const auto [service, ns, expected] = GENERATE(values<naming>({
        {"web", "", "shop/web"},
        {"web", "other", "other/web"},
        {"web.other", "", "other/web"},
        {"web.other.svc", "", "other/web"},
        {"web.other.svc.cluster.local", "", "other/web"},
        {"web.other.svc.cluster.local", "other", "other/web"},
        // What the predecessor's command writes beside such a name.
        {"web.other.svc.cluster.local", "shop", "other/web"},
    }));
    CAPTURE(service, ns);
    auto raw = least()->raw;
    raw["spec"].as_object()["upstream"] = {{"service", service}, {"namespace", ns}};
    const auto offer = parse_service_offer(*kube::parse_object(raw).value());
    REQUIRE(offer.has_value());
    CHECK(offer->upstream.ns + "/" + offer->upstream.service == expected);
}

TEST_CASE("limits, methods and a health path of nothing are read", "[api][offer]")
{
    const auto read = [](const char* pointer, const char* value) {
        return parse_service_offer(*changed(least(), pointer, value)).value();
    };
    CHECK(read("/spec/limits", "{}").limits.empty());
    const auto limited = read("/spec/limits", R"({"maxInFlight": 4, "rps": 10})");
    CHECK(limited.limits.in_flight == 4);
    CHECK(limited.limits.per_second == 10);
    const auto routed =
        read("/spec/routes", R"([{"path": "/a", "methods": ["POST", "GET", "POST"]}, {"path": "/b"}])");
    CHECK(routed.routes[0].methods == std::vector<std::string>{"GET", "POST"});
    CHECK(routed.routes[1].methods.empty());
    CHECK(read("/spec/upstream/healthPath", R"("")").upstream.health_path == "/");
}

TEST_CASE("an object without a spec is refused, not a crash", "[api][offer]")
{
    CHECK_FALSE(refusal(object_from(R"({"metadata": {"name": "a"}})")).empty());
    CHECK_FALSE(refusal(object_from(R"({"metadata": {"name": "a"}, "spec": []})")).empty());
}
