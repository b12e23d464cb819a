#include "../api/objects.hpp"
#include "catch.hpp"
#include "route/credentials.hpp"
#include "route/route_table.hpp"

#include <portitor/x402/payment_required.hpp>

#include <algorithm>
#include <optional>

using namespace portitor;
using namespace portitor::route;
using test::changed;
using test::object_from;

namespace {

const char* const usdc = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

const std::set<std::string> facilitators{"https://f.example", "https://other.example/x402"};

const x402::network_table& networks()
{
    static const x402::network_table table = x402::network_table::built_in();
    return table;
}

kube::object_ptr compiled(std::string_view rules = "[]", std::string_view pattern = "/services/hello/*")
{
    const auto plain = object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute",
        "metadata": {"name": "hello-payment", "namespace": "shop", "generation": 1, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "u0"},
            {"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u1", "controller": true}
        ]},
        "spec": {
            "price": "10000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "network": "eip155:84532",
            "facilitatorURL": "https://f.example", "priceModel": "per-request", "description": "says hello",
            "maxTimeoutSeconds": 60, "publicURL": "https://api.example.com/services/hello"
        }
    })");
    return changed(changed(plain, "/spec/pattern", fmt::format("\"{}\"", pattern)), "/spec/rules", rules);
}

result<route_ptr> compile(const kube::object_ptr& from)
{
    static const credential_store none{{}};
    return served_route::compile(*from, {networks(), facilitators, none});
}

// What a path costs: "free", a price, or "" where it is refused.
std::string cost(const route_ptr& of, std::string_view uri)
{
    request_path path;
    REQUIRE(read_request_path(uri, path).has_value());
    const terms* found = of->find(path);
    if (!found)
        return "";
    CHECK(found->amount_text == to_string(found->amount));
    return found->free ? "free" : to_string(found->amount);
}

std::string rule(std::string_view pattern, std::string_view price)
{
    if (price == "free")
        return fmt::format(R"({{"pattern": "{}", "gate": "free"}})", pattern);
    return fmt::format(
        R"({{"pattern": "{}", "gate": "paid", "price": "{}", "priceModel": "per-request"}})", pattern, price
    );
}

std::string rules(std::vector<std::pair<std::string, std::string>> list)
{
    std::string out;
    for (const auto& [pattern, price] : list)
        out += (out.empty() ? "" : ",") + rule(pattern, price);
    return "[" + out + "]";
}

}  // namespace

TEST_CASE("a route's own terms reach the requirement", "[verifier][route]")
{
    const auto served = compile(compiled());
    REQUIRE(served.has_value());
    CHECK((*served)->key() == "shop/hello");
    CHECK((*served)->prefix() == "/services/hello");
    CHECK((*served)->suspended() == false);
    CHECK((*served)->credential() == nullptr);
    CHECK((*served)->facilitator_url() == "https://f.example");
    request_path path;
    REQUIRE(read_request_path("/services/hello", path).has_value());
    const terms* found = (*served)->find(path);
    REQUIRE(found);
    CHECK_FALSE(found->free);
    CHECK(found->amount == 10000);
    CHECK(found->amount_text == "10000");
    const x402::payment_requirement wanted = (*served)->owned_requirement(*found, "https://x.example/y");
    CHECK(wanted.amount == 10000);
    CHECK(wanted.network == "eip155:84532");
    CHECK(wanted.v1_network == "base-sepolia");
    CHECK(wanted.asset == usdc);
    CHECK(wanted.asset_name == "USDC");
    CHECK(wanted.asset_version == "2");
    CHECK(wanted.pay_to == "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
    CHECK(wanted.max_timeout_seconds == 60);
    CHECK(wanted.description == "says hello");
    CHECK(wanted.resource_url == "https://x.example/y");

    // The view says the same as what is kept.
    const std::string url = "https://x.example/y";
    const x402::requirement_view view = (*served)->requirement(*found, url);
    x402::payment_required from_view;
    std::string scratch;
    x402::write_payment_required(from_view, scratch, std::span(&view, 1), "why");
    const x402::payment_required from_owned = x402::make_payment_required(std::span(&wanted, 1), "why");
    CHECK(from_view.header_value == from_owned.header_value);
    CHECK(from_view.body == from_owned.body);
}

TEST_CASE("a route names its offer, and which of those that had the name", "[verifier][route]")
{
    const auto route = compile(compiled());
    REQUIRE(route.has_value());
    CHECK((*route)->key() == "shop/hello");
    CHECK((*route)->offer_uid() == "u1");
}

TEST_CASE("a route holds its path and all below it, by whole segments", "[verifier][route]")
{
    const auto served = compile(compiled()).value();
    for (const char* inside :
         {"/services/hello",
          "/services/hello/",
          "/services/hello/a/b?c",
          "/services/%68ello/x",
          "/services/hello/a;b"})
        CHECK(cost(served, inside) == "10000");
    for (const char* outside :
         {"/",
          "/services",
          "/services/",
          "/services/hell",
          "/services/hellox",
          "/services/hello;x/a",
          "/services/Hello",
          "/x/services/hello",
          "/services/other",
          "/services/hello%20"})
    {
        INFO(outside);
        CHECK(cost(served, outside).empty());
    }
    const auto root = compile(compiled("[]", "/*")).value();
    CHECK(cost(root, "/") == "10000");
    CHECK(cost(root, "/anything/at/all") == "10000");
}

TEST_CASE("the most specific rule applies, whatever the order in which the rules come", "[verifier][route]")
{
    std::vector<std::pair<std::string, std::string>> list{
        {"/*", "1"},
        {"/report", "2"},
        {"/report/*", "3"},
        {"/files/*", "4"},
        {"/files/*/meta", "5"},
        {"/files/public/*", "free"},
        {"/files/public/secret", "6"},
        {"/*/meta", "7"},
        {"/users/*/export", "8"},
        {"/users/*/*", "9"},
        {"/", "10"},
    };
    struct asked
    {
        const char* path;
        const char* expected;
    };
    const std::vector<asked> table{
        {"", "10"},
        {"/", "10"},
        {"/a", "1"},
        {"/report", "2"},
        {"/report/", "2"},
        {"/report/x", "3"},
        {"/report/x/y", "3"},
        {"/reports", "1"},
        {"/files", "4"},
        {"/files/a", "4"},
        {"/files/a/b/c", "4"},
        {"/files/a/meta", "5"},
        {"/files/a/meta/x", "4"},
        {"/files/public", "4"},
        {"/files/public/", "4"},
        {"/files/public/x/y", "free"},
        {"/files/public/meta", "free"},
        {"/files/public/secret", "6"},
        {"/files/public/secret/x", "free"},
        {"/files/publicx", "4"},
        {"/a/meta", "7"},
        {"/a/b/meta", "1"},
        {"/users/7/export", "8"},
        {"/users/7/import", "9"},
        {"/users/7", "9"},
        {"/users/7/export/x", "9"},
        {"/users", "1"},
        {"/users/*/export", "8"},
        {"/USERS/7/export", "1"},
        {"/%72eport", "2"},
        {"/report%20", "1"},
    };
    std::sort(list.begin(), list.end());
    for (std::size_t turn = 0; turn < list.size(); ++turn)
    {
        std::rotate(list.begin(), list.begin() + 1, list.end());
        for (const bool backwards : {false, true})
        {
            auto order = list;
            if (backwards)
                std::reverse(order.begin(), order.end());
            const auto served = compile(compiled(rules(order))).value();
            for (const asked& each : table)
            {
                INFO(each.path);
                CHECK(cost(served, std::string("/services/hello") + each.path) == each.expected);
            }
        }
    }
}

TEST_CASE("where no rule fits, the route's own terms apply", "[verifier][route]")
{
    const auto served = compile(compiled(rules({{"/free/*", "free"}, {"/x", "7"}}))).value();
    CHECK(cost(served, "/services/hello") == "10000");
    CHECK(cost(served, "/services/hello/y") == "10000");
    CHECK(cost(served, "/services/hello/x/y") == "10000");
    CHECK(cost(served, "/services/hello/freex") == "10000");
    CHECK(cost(served, "/services/hello/free/y") == "free");
    CHECK(cost(served, "/services/hello/x") == "7");
    CHECK(cost(served, "/services/other/free/x").empty());
}

TEST_CASE("of rules that differ only behind the wildcard, every replica takes the same", "[verifier][route]")
{
    for (const auto& list : {rules({{"/*/a", "1"}, {"/b/*", "2"}}), rules({{"/b/*", "2"}, {"/*/a", "1"}})})
    {
        const auto served = compile(compiled(list)).value();
        CHECK(cost(served, "/services/hello/b/a") == "2");
        CHECK(cost(served, "/services/hello/c/a") == "1");
    }
}

TEST_CASE("without rules parameters make no difference", "[verifier][route]")
{
    const auto without = compile(compiled()).value();
    CHECK_FALSE(without->has_rules());
    CHECK(cost(without, "/services/hello/free/a;b") == "10000");
    CHECK(cost(without, "/services/hello/a%3Bb") == "10000");
    // Where they do, the verifier refuses the path: see test/unit/roles/verifier/forward_auth_test.cpp.
    CHECK(compile(compiled(rules({{"/free/*", "free"}}))).value()->has_rules());
}

TEST_CASE("a route that must not be served is refused with a reason", "[verifier][route]")
{
    struct wrong
    {
        const char* pointer;
        const char* value;
        const char* message;
    };
    const auto row = GENERATE(values<wrong>({
        {"/spec/facilitatorURL",
         "\"https://evil.example\"",
         "spec.facilitatorURL: https://evil.example is not on this verifier's list"},
        {"/spec/facilitatorURL", "\"https://f.example/\"", "is not on this verifier's list"},
        {"/spec/facilitatorURL", "\"http://f.example\"", "is not on this verifier's list"},
        {"/spec/network", "\"eip155:31337\"", "spec.network: eip155:31337 is not known"},
        {"/spec/network", "\"base-sepolia\"", "spec.network"},
        {"/spec/network", "\"eip155:8453\"", "spec.asset"},
        {"/spec/asset",
         "\"0x00000000000000000000000000000000000000cD\"",
         "spec.asset: 0x00000000000000000000000000000000000000cD is no asset known on eip155:84532"},
        {"/spec/asset", "\"USDC\"", "spec.asset"},
        {"/spec/price", "\"0\"", "spec.price"},
        {"/spec/price", "\"00\"", "spec.price"},
        {"/spec/price", "\"-1\"", "spec.price"},
        {"/spec/price", "\"0.01\"", "spec.price"},
        {"/spec/price",
         "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"",
         "spec.price"},
        {"/spec/price", "", "spec.price"},
        {"/spec/payTo", "\"0x209693\"", "spec.payTo"},
        {"/spec/pattern", "\"/services/hello\"", "spec.pattern"},
        {"/spec/rules", R"([{"pattern": "/a", "gate": "paid", "price": "0"}])", "spec.rules[0].price"},
        {"/spec/rules", R"([{"pattern": "/a", "gate": "paid"}])", "spec.rules[0].price"},
        {"/spec/rules", R"([{"pattern": "/a"}])", "spec.rules[0]"},
        {"/spec/rules", R"([{"pattern": "/a", "gate": "gratis"}])", "spec.rules[0].gate"},
        {"/spec/rules",
         R"([{"pattern": "/report/", "gate": "free"}, {"pattern": "/report", "gate": "paid", "price": "1"}])",
         "spec.rules[0].pattern"},
        {"/spec/rules",
         R"([{"pattern": "/report", "gate": "free"}, {"pattern": "/report", "gate": "paid", "price": "1"}])",
         "spec.rules[1].pattern must be in the list once"},
        {"/spec/rules",
         R"([{"pattern": "/*", "gate": "free"}, {"pattern": "/premium*", "gate": "paid", "price": "1"}])",
         "write /premium/*"},
        {"/spec/rules", R"([{"pattern": "/a%2fb", "gate": "free"}])", "no escapes"},
        {"/metadata/ownerReferences", "[]", "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences", "", "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences",
         R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "", "controller": true}])",
         "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences",
         R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u1"}])",
         "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences",
         R"([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "hello", "uid": "u1", "controller": true}])",
         "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences",
         R"([{"apiVersion": "evil.org/v1", "kind": "ServiceOffer", "name": "hello", "uid": "u1", "controller": true}])",
         "no ServiceOffer controls this route"},
        {"/metadata/ownerReferences",
         R"([{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "other", "uid": "u1", "controller": true}])",
         "the route of the offer other is named other-payment"},
        {"/metadata/name", "\"hello\"", "the route of the offer hello is named hello-payment"},
        {"/metadata/name", "\"hello-payment-2\"", "is named hello-payment"},
    }));
    INFO(row.pointer << " = " << row.value);
    const auto served = compile(changed(compiled(), row.pointer, row.value));
    REQUIRE(served.has_error());
    CHECK(served.error().code() == errc::invalid);
    CHECK_THAT(served.error().message(), Catch::Matchers::Contains(row.message));
}

TEST_CASE("addresses are the same in any case, and each listed facilitator serves", "[verifier][route]")
{
    const auto lower = changed(compiled(), "/spec/asset", "\"0x036cbd53842c5426634e7929541ec2318f3dcf7e\"");
    const auto served = compile(changed(lower, "/spec/facilitatorURL", "\"https://other.example/x402\""));
    REQUIRE(served.has_value());
    // As it is to be shown.
    CHECK((*served)->token().address == usdc);
    CHECK((*served)->facilitator_url() == "https://other.example/x402");
}

TEST_CASE("the resource of a path is its public URL", "[verifier][route]")
{
    const auto url = [](const route_ptr& of, std::string_view uri, std::string_view host) {
        request_path path;
        REQUIRE(read_request_path(uri, path).has_value());
        std::string out = ">";
        of->append_resource_url(out, path, "http", host);
        return out;
    };
    const auto named = compile(compiled()).value();
    const auto unnamed = compile(changed(compiled(), "/spec/publicURL", "\"\"")).value();
    const char* const uri = "/services/hello/a%20b/%63?q=1";
    CHECK(url(named, uri, "evil.test") == ">https://api.example.com/services/hello/a%20b/c");
    CHECK(url(unnamed, uri, "h.test:81") == ">http://h.test:81/services/hello/a%20b/c");
    CHECK(url(named, "/services/hello", "evil.test") == ">https://api.example.com/services/hello");
    CHECK(url(named, "/services/hello/", "evil.test") == ">https://api.example.com/services/hello");
}
