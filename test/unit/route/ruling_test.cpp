#include "catch.hpp"
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
    const auto said = [&](const char* uri, bool has_credentials = true) {
        return rule_on(*route, path_of(uri), has_credentials).what;
    };
    CHECK(said("/services/hello/a") == outcome::no_credential);
    CHECK(said("/services/hello/free/a") == outcome::no_credential);
    CHECK(told_of(outcome::no_credential).status == 503);
    // Who explains has no secrets.
    CHECK(said("/services/hello/a", false) == outcome::payment_required);
    std::ofstream(file) << "Bearer x\n";
    CHECK(credentials.refresh().empty());
    CHECK(said("/services/hello/a") == outcome::payment_required);
    std::filesystem::remove(file);
}
