#include "catch.hpp"
#include "files.hpp"
#include "route/gate_keys.hpp"
#include "route/ruling.hpp"
#include "route_objects.hpp"

#include <filesystem>
#include <fstream>

using namespace portitor;
using namespace portitor::route;
namespace samples = portitor::route::samples;

namespace {

/// A path that has been read; it cannot be copied.
struct path_of : request_path
{
    explicit path_of(std::string_view uri) { REQUIRE(read_request_path(uri, *this).has_value()); }
};

/// A table with the one route of shop/hello.
struct one_route
{
    explicit one_route(const kube::object_ptr& from = samples::route_object())
        : table(route_table().with(std::make_shared<table_entry>(table_entry{
              samples::compile(from).value(), nullptr})))
    {}

    route_table table;
};

}  // namespace

TEST_CASE("the gate is asked for one offer, or by the path, and nowhere else", "[route][ruling]")
{
    CHECK(read_gate_target("/verify/shop/hello?x=1")->offer == "shop/hello");
    CHECK(read_gate_target("/verify/shop/hello")->bound);
    CHECK_FALSE(read_gate_target("/verify?x=/verify/a/b")->bound);
    CHECK(read_gate_target("/verify/")->bound);
    CHECK(read_gate_target("/verify/shop/hello?token=abc")->offer == "shop/hello");
    CHECK(read_gate_target("/verify/shop/hello?token=abc")->token == "abc");
    CHECK(read_gate_target("/verify/shop/hello?x=1")->token.empty());
    CHECK(read_gate_target("/verify/shop/hello?token=abc&x=1")->token.empty());
    CHECK(read_gate_target("/verify?token=abc")->token.empty());
    for (const char* other : {"/", "/verifyx", "/verif", "/a/verify/shop/hello", "/Verify"})
        CHECK_FALSE(read_gate_target(other).has_value());
}

TEST_CASE("a route that is not there is told apart from one that may be on its way", "[route][ruling]")
{
    const one_route has;
    const path_of elsewhere("/elsewhere");
    CHECK(find_bound(has.table, "shop/hello").entry);
    CHECK(find_by_path(has.table, path_of("/services/hello/a"), "api.example.com").entry);
    CHECK(find_bound(has.table, "shop/other").why.words == "the routes are not known yet");
    CHECK(find_by_path(has.table, elsewhere, "").why.status == 503);
    const route_table complete = has.table.completed();
    CHECK(find_bound(complete, "shop/other").why.status == 503);
    CHECK(find_bound(complete, "shop/other").why.words == "no such route is served here");
    CHECK(find_bound(complete, "shop/other").why.retry_after == 1);
    CHECK(find_by_path(complete, elsewhere, "").why.status == 403);
}

TEST_CASE("a route with a credential is sold only to who shows the offer's token", "[route][ruling]")
{
    const test::temp_folder folder;
    credential_store credentials({{"upstream", folder.write("upstream", "Bearer x"), {"shop"}}});
    CHECK(credentials.refresh().empty());
    gate_keys keys(folder.write("key", std::string(32, 'k')));
    CHECK(keys.refresh({}).has_value());
    const std::set<std::string> urls{samples::facilitator_url};
    const auto secretive = test::changed(samples::route_object(), "/spec/credential", R"("upstream")");
    const serving_limits allowed{x402::samples::networks(), urls, credentials, &keys};
    const auto route = served_route::compile(*secretive, allowed).value();
    const std::string token =
        api::gate_key::make(std::string(32, 'k')).value().token_for("shop", "hello", "u1");
    CHECK(route->knows_gateway(token));
    CHECK_FALSE(route->knows_gateway(""));
    CHECK_FALSE(route->knows_gateway(std::string(64, '0')));
    // A name of the same offer made anew is another offer's.
    const auto anew = test::changed(
        secretive,
        "/metadata/ownerReferences",
        R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u2", "controller": true}])"
    );
    CHECK_FALSE(served_route::compile(*anew, allowed).value()->knows_gateway(token));

    circumstances around;
    for (const char* uri : {"/services/hello/a", "/services/hello/free/a", "/elsewhere"})
        CHECK(rule_on(*route, path_of(uri), around).what == outcome::wrong_token);
    CHECK(told_of(outcome::wrong_token).status == 403);
    around.has_token = true;
    CHECK(rule_on(*route, path_of("/services/hello/a"), around).what == outcome::payment_required);
    CHECK(rule_on(*route, path_of("/services/hello/free/a"), around).what == outcome::granted_free);

    // What names none needs none.
    const auto open = served_route::compile(*samples::route_object(), allowed).value();
    CHECK(rule_on(*open, path_of("/services/hello/a")).what == outcome::payment_required);
}

TEST_CASE("a path is there for its methods alone, also where a wider rule is for all", "[route][ruling]")
{
    const auto object = test::changed(
        samples::route_object(),
        "/spec/rules",
        R"([{"pattern": "/submit", "gate": "paid", "price": "5", "methods": ["POST", "PUT"]},
            {"pattern": "/docs/*", "gate": "free", "methods": ["GET"]},
            {"pattern": "/*", "gate": "free"}])"
    );
    const auto route = samples::compile(object).value();
    const auto ruled = [&](const char* uri, std::string_view method) {
        circumstances around;
        around.method = method;
        return rule_on(*route, path_of(uri), around).what;
    };
    CHECK(ruled("/services/hello/submit", "POST") == outcome::payment_required);
    CHECK(ruled("/services/hello/submit", "PUT") == outcome::payment_required);
    CHECK(ruled("/services/hello/submit", "GET") == outcome::wrong_method);
    CHECK(ruled("/services/hello/submit", "post") == outcome::wrong_method);
    CHECK(ruled("/services/hello/docs/a", "GET") == outcome::granted_free);
    CHECK(ruled("/services/hello/docs/a", "DELETE") == outcome::wrong_method);
    CHECK(ruled("/services/hello/other", "DELETE") == outcome::granted_free);
    // Who explains without a method is told the price.
    CHECK(ruled("/services/hello/submit", "") == outcome::payment_required);
    CHECK(told_of(outcome::wrong_method).status == 403);
}

TEST_CASE("a verifier without a gate key serves no route with a credential", "[route][ruling]")
{
    const credential_store credentials({{"upstream", "/x", {"shop"}}});
    const gate_keys none;
    const std::set<std::string> urls{samples::facilitator_url};
    const serving_limits allowed{x402::samples::networks(), urls, credentials, &none};
    const auto refused = served_route::compile(
        *test::changed(samples::route_object(), "/spec/credential", R"("upstream")"), allowed
    );
    REQUIRE(refused.has_error());
    CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("--gate-key-file"));
    CHECK(served_route::compile(*samples::route_object(), allowed).has_value());
}

TEST_CASE("nobody pays while the upstream's credential has no value", "[route][ruling]")
{
    const std::filesystem::path file = std::filesystem::temp_directory_path() / "portitor-ruling-test";
    std::filesystem::remove(file);
    credential_store credentials({{"upstream", file.string(), {"shop"}}});
    const std::set<std::string> urls{samples::facilitator_url};
    const auto route = served_route::compile(
                           *test::changed(samples::route_object(), "/spec/credential", R"("upstream")"),
                           {x402::samples::networks(), urls, credentials}
    )
                           .value();
    const auto said = [&](const char* uri, circumstances around = {}) {
        around.has_token = true;
        return rule_on(*route, path_of(uri), around).what;
    };
    CHECK(said("/services/hello/a") == outcome::no_credential);
    CHECK(said("/services/hello/free/a") == outcome::granted_free);
    CHECK(told_of(outcome::no_credential).status == 503);
    // Who explains has no secrets.
    CHECK(said("/services/hello/a", {.has_credentials = false}) == outcome::payment_required);
    std::ofstream(file) << "Bearer x\n";
    CHECK(credentials.refresh().empty());
    CHECK(said("/services/hello/a") == outcome::payment_required);
    std::filesystem::remove(file);
}
