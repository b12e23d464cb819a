#include "../../route/route_objects.hpp"
#include "../role_world.hpp"
#include "files.hpp"
#include "ledger/file_lock.hpp"
#include "roles/verifier/verifier.hpp"

#include <portitor/api/gate_key.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/http/client.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::roles;
using namespace portitor::roles::samples;

namespace {

using api::payment_route_resource;
using route::samples::route_object;

// Of the moment; the role has no way to say which one it was given.
std::uint16_t free_port(asio::io_context& context)
{
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    return acceptor.local_endpoint().port();
}

struct verifier_world : role_world
{
    // Its threads have timers, and what is shared by threads has to be the machine's time.
    verifier_world() : role_world(passing::as_usual), port(free_port(context))
    {
        options.listen = fmt::format("127.0.0.1:{}", port);
        options.threads = 1;
        options.lists.facilitators.entries.push_back({"sample", route::samples::facilitator_url});
        client = http::make_client(context.get_executor(), {}).value();
    }

    std::uint16_t port;
    verifier::options options = config::defaults<verifier::options>();
    std::unique_ptr<http::client> client;

    void start()
    {
        role_world::start([&](const process& around) { return make_verifier(around, options); });
    }

    /// What the gateway is told of an unpaid request: of an offer, or, where none is named, of a path alone.
    http::response ask(const std::string& offer = "hello", const std::string& path = "/services/hello/a")
    {
        return try_to_ask(offer, path).value();
    }
    result<http::response>
    try_to_ask(const std::string& offer = "hello", const std::string& path = "/services/hello/a")
    {
        const std::string target = offer.empty() ? "/verify" : "/verify/shop/" + offer;
        return try_to_ask_at(target, path);
    }
    result<http::response> try_to_ask_at(const std::string& target, const std::string& path)
    {
        http::request message(http::verb::get, target, 11);
        message.set("X-Forwarded-Uri", path);
        message.set("X-Forwarded-Method", "GET");
        message.set("X-Forwarded-Host", "api.example.com");
        message.set("X-Forwarded-Proto", "https");
        std::optional<result<http::response>> got;
        asio::co_spawn(
            context,
            client->send({"http", "127.0.0.1", port}, std::move(message), {}),
            [&](std::exception_ptr, result<http::response> answer) { got = std::move(answer); }
        );
        REQUIRE(wait([&] { return got.has_value(); }));
        return *got;
    }

    void create_route() { create(payment_route_resource, json::serialize(route_object()->raw)); }
    std::string admitted() const { return condition(payment_route_resource, "hello-payment", "Admitted"); }
};

}  // namespace

TEST_CASE_METHOD(verifier_world, "a PaymentRoute is admitted, and asks for its price", "[verifier]")
{
    start();
    create_route();
    REQUIRE(wait([&] { return admitted() == "True Served"; }));
    const auto live_route = live(payment_route_resource, "hello-payment");
    CHECK(kube::bool_at(live_route->raw, "status.admitted"));
    CHECK(kube::int_at(live_route->raw, "status.lastAdmittedGeneration") == live_route->meta.generation);
    const http::response answer = ask();
    CHECK(answer.result_int() == 402);
    CHECK_THAT(answer.body(), Catch::Matchers::Contains("\"10000\""));
    CHECK(ask("hello", "/services/hello/free/x").result_int() == 200);

    // A new price is asked for as soon as it is admitted.
    patch(
        payment_route_resource, "hello-payment", R"([{"op":"replace","path":"/spec/price","value":"30000"}])"
    );
    REQUIRE(wait([&] {
        const auto now = live(payment_route_resource, "hello-payment");
        return kube::int_at(now->raw, "status.lastAdmittedGeneration") == now->meta.generation;
    }));
    CHECK_THAT(ask().body(), Catch::Matchers::Contains("\"30000\""));
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    verifier_world, "a route with a credential is served to who shows its offer's token alone", "[verifier]"
)
{
    const test::temp_folder folder;
    options.gate_key_file = folder.write("gate-key", std::string(32, 'k'));
    options.lists.credentials.entries = {{"up", folder.write("up", "Bearer s3cr3t"), {"shop"}}};
    start();
    auto secretive = route_object()->raw;
    secretive["spec"].as_object()["credential"] = "up";
    create(payment_route_resource, json::serialize(secretive));
    REQUIRE(wait([&] { return admitted() == "True Served"; }));
    const auto token_of = [&](std::string_view uid) {
        return api::gate_key::make(std::string(32, 'k')).value().token_for("shop", "hello", uid);
    };
    const auto at = [&](const std::string& target, const std::string& path = "/services/hello/a") {
        return try_to_ask_at(target, path).value();
    };
    CHECK(at("/verify/shop/hello?token=" + token_of("u1")).result_int() == 402);
    for (const std::string& target :
         {std::string("/verify"),
          std::string("/verify/shop/hello"),
          std::string("/verify/shop/hello?token="),
          "/verify/shop/hello?token=" + token_of("u2")})
    {
        INFO(target);
        for (const char* path : {"/services/hello/a", "/services/hello/free/x"})
        {
            const http::response refused = at(target, path);
            CHECK(refused.result_int() == 403);
            CHECK(refused.count("Authorization") == 0);
        }
    }
    const http::response free = at("/verify/shop/hello?token=" + token_of("u1"), "/services/hello/free/x");
    CHECK(free.result_int() == 200);
    CHECK(free.count("Authorization") == 0);
    CHECK(end() == 0);
}

TEST_CASE_METHOD(verifier_world, "without a gate key no route with a credential is admitted", "[verifier]")
{
    options.lists.credentials.entries = {{"up", "/x", {"shop"}}};
    start();
    auto secretive = route_object()->raw;
    secretive["spec"].as_object()["credential"] = "up";
    create(payment_route_resource, json::serialize(secretive));
    REQUIRE(wait([&] { return admitted().starts_with("False"); }));
    CHECK_THAT(
        json::serialize(live(payment_route_resource, "hello-payment")->status()),
        Catch::Matchers::Contains("--gate-key-file")
    );
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    verifier_world,
    "without its file a credential's route is refused, and once it is there admitted",
    "[verifier]"
)
{
    const test::temp_folder folder;
    options.gate_key_file = folder.write("gate-key", std::string(32, 'k'));
    options.lists.credentials.entries = {{"up", folder.path("up"), {"shop"}}};
    start();
    auto secretive = route_object()->raw;
    secretive["spec"].as_object()["credential"] = "up";
    create(payment_route_resource, json::serialize(secretive));
    REQUIRE(wait([&] { return admitted() == "False Refused"; }));
    CHECK_THAT(
        json::serialize(live(payment_route_resource, "hello-payment")->status()),
        Catch::Matchers::Contains("the file of \\\"up\\\" could not be read")
    );
    folder.write("up", "Bearer s3cr3t");
    CHECK(wait([&] { return admitted() == "True Served"; }, std::chrono::seconds(30)));
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    verifier_world, "who refuses what is called admitted asks, and says no when nobody answers", "[verifier]"
)
{
    create_route();
    const auto generation = live(payment_route_resource, "hello-payment")->meta.generation;
    report(
        payment_route_resource,
        "hello-payment",
        fmt::format(
            R"({{"admitted":true,"lastAdmittedGeneration":{0},"conditions":[{{"type":"Admitted","status":"True",
                "reason":"Served","message":"","observedGeneration":{0},
                "lastTransitionTime":"2026-11-24T20:00:00Z"}}]}})",
            generation
        )
    );
    options.lists.facilitators.entries = {{"sample", "https://another.example"}};
    start();
    const auto status = [&] { return live(payment_route_resource, "hello-payment")->status(); };
    REQUIRE(wait([&] { return !kube::string_at(status(), "asked.time").empty(); }));
    CHECK(admitted() == "True Served");
    CHECK_FALSE(kube::string_at(status(), "asked.name").empty());
    CHECK_THAT(kube::string_at(status(), "asked.reason"), Catch::Matchers::Contains("https://f.example"));
    REQUIRE(wait([&] { return admitted() == "False Refused"; }));
    CHECK_FALSE(kube::bool_at(status(), "admitted"));
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    verifier_world, "what is not sold is refused: an unknown offer, a deleted one, odd terms", "[verifier]"
)
{
    start();
    create_route();
    auto odd = route::samples::route_of("shop", "odd", "/services/odd/*")->raw;
    odd["spec"].as_object()["facilitatorURL"] = "https://not-allowed.example";
    create(payment_route_resource, json::serialize(odd));
    REQUIRE(wait([&] {
        return admitted() == "True Served" &&
               condition(payment_route_resource, "odd-payment", "Admitted") == "False Refused";
    }));
    // One that is named may be on its way to this replica: for now it is refused.
    CHECK(ask("nobody").result_int() == 503);
    CHECK(ask("odd", "/services/odd/a").result_int() == 503);
    CHECK(ask("", "/services/nobody/a").result_int() == 403);
    CHECK(ask("", "/services/odd/a").result_int() == 403);
    CHECK(ask("", "/services/hello/a").result_int() == 402);
    CHECK(ask("hello").result_int() == 402);
    remove(payment_route_resource, "hello-payment");
    REQUIRE(wait([&] { return ask("hello").result_int() == 503; }));
    CHECK(ask("", "/services/hello/a").result_int() == 403);
}

TEST_CASE_METHOD(
    verifier_world, "it is not ready before it knows all routes, and refuses until then", "[verifier]"
)
{
    create_route();
    server.freeze();
    start();
    CHECK(ask("hello").result_int() == 503);
    CHECK(ready() == 503);
    CHECK(ask("", "/services/nobody/a").result_int() == 503);
    server.thaw();
    REQUIRE(wait([&] { return ready() == 200; }));
    CHECK(ask("hello").result_int() == 402);
    CHECK(ask("", "/services/nobody/a").result_int() == 403);
}

TEST_CASE_METHOD(verifier_world, "it goes on selling while the API server is away", "[verifier]")
{
    start();
    create_route();
    REQUIRE(wait([&] { return admitted() == "True Served"; }));
    server.stop();
    const std::string away = R"(portitor_watch_connected{kind="PaymentRoute"} 0)";
    REQUIRE(wait([&] { return numbers.expose().find(away) != std::string::npos; }));
    CHECK(ask().result_int() == 402);
    CHECK(ready() == 200);
    CHECK_FALSE(ended());
    CHECK(end() == 0);
}

TEST_CASE_METHOD(
    verifier_world,
    "a record that is away at the start stops no 402, and one that another process takes ends this one",
    "[verifier]"
)
{
    const test::temp_folder folder;
    options.ledger = folder.write("ledger.db", std::string(5'000, 'x'));
    start();
    create_route();
    REQUIRE(wait([&] { return admitted() == "True Served"; }));
    CHECK(ask().result_int() == 402);
    CHECK(ask("hello", "/services/hello/free/x").result_int() == 200);
    CHECK(ready() == 200);
    const std::string told = http::answer_health(http::verb::get, "/readyz?verbose", checks, numbers).body();
    CHECK_THAT(told, Catch::Matchers::Contains("[!]ledger warns") && Catch::Matchers::Contains("damaged"));
    CHECK_THAT(numbers.expose(), Catch::Matchers::Contains("portitor_ledger_up 0"));
    CHECK_FALSE(ended());

    result<ledger::file_lock> other = fail(errc::conflict, "it is being opened");
    REQUIRE(wait([&] {
        other = ledger::file_lock::take(options.ledger);
        return other.has_value();
    }));
    REQUIRE(wait([&] { return ended(); }));
    CHECK(end() == 1);
}

TEST_CASE_METHOD(verifier_world, "it ends in order: not ready any more, and nobody is answered", "[verifier]")
{
    start();
    create_route();
    REQUIRE(wait([&] { return admitted() == "True Served"; }));
    CHECK(ask().result_int() == 402);
    CHECK(end() == 0);
    CHECK(ready() == 503);
    CHECK(try_to_ask().error().code() == errc::unavailable);
}
