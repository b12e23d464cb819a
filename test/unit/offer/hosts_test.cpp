#include "catch.hpp"
#include "offer/hosts.hpp"
#include "offer/naming.hpp"
#include "offer_world.hpp"

#include <portitor/kube/selector.hpp>

#include <fmt/ranges.h>

using namespace portitor;
using namespace portitor::offer;
using test::object_from;
using test::world;

namespace {

/// An operator who gives hosts by name and by label, and publishes on two.
world strict_world()
{
    world all;
    config::host_lists& hosts = all.settings.gateway.hosts;
    hosts.written_public = {"www.example.com"};
    hosts.entries = {
        {"shop.example.org", {"shop"}, std::nullopt},
        {"*.example.net", {"*"}, std::nullopt},
        {"*.labels.test", {}, kube::make_predicate("", "team=shop", "").value()},
    };
    return all;
}

kube::object_ptr home(const std::string& labels)
{
    return object_from(R"({"metadata": {"name": "shop", "labels": )" + labels + "}}");
}

std::string route_hosts(const world& all)
{
    for (const apply& each : all.look().applies)
    {
        if (each.kind != child_kind::http_route)
            continue;
        return boost::json::serialize(each.desired.at("spec").at("hostnames"));
    }
    return "no route";
}

}  // namespace

TEST_CASE(
    "an offer without a host is published on the public ones, one with a host there", "[controller][hosts]"
)
{
    struct row
    {
        std::string host;
        std::string routes;
        std::string endpoint;
        std::string asked;
    };
    const auto each = GENERATE(values<row>({
        {"",
         R"(["api.example.com","www.example.com"])",
         "https://api.example.com:8443/x",
         "api.example.com:8443"},
        // A public host is no host of one's own, whichever it is.
        {"api.example.com",
         R"(["api.example.com","www.example.com"])",
         "https://api.example.com:8443/x",
         "api.example.com:8443"},
        {"www.example.com",
         R"(["api.example.com","www.example.com"])",
         "https://api.example.com:8443/x",
         "api.example.com:8443"},
        {"shop.example.org",
         R"(["shop.example.org"])",
         "https://shop.example.org:8443/x",
         "shop.example.org"},
        {"a.b.example.net", R"(["a.b.example.net"])", "https://a.b.example.net:8443/x", "a.b.example.net"},
    }));
    CAPTURE(each.host);
    world all = strict_world();
    all.settings.gateway.public_url = "https://api.example.com:8443";
    all.edit("/spec/path", "\"/x\"");
    if (!each.host.empty())
        all.edit("/spec/hostname", '"' + each.host + '"');
    CHECK(route_hosts(all) == each.routes);
    const auto spec = *offer_record::read(*all.offer)->spec;
    CHECK(endpoint_of(spec, all.settings) == each.endpoint);
    CHECK(host_of(spec, all.settings) == each.asked);
}

TEST_CASE("every host is public by default, and where the public URL is an address", "[controller][hosts]")
{
    world all;
    all.settings.gateway.hosts = {};
    for (const std::string url : {"", "http://10.0.0.1:8000"})
    {
        all.settings.gateway.public_url = url;
        CHECK(route_hosts(all) == "[]");
    }
    all.settings.gateway.hosts.written_public = {"www.example.com", "*"};
    CHECK(route_hosts(all) == "[]");
    all.settings.gateway.public_url.clear();
    CHECK(public_host(all.settings) == "www.example.com");
}

TEST_CASE("a host of others withholds an offer, and the words are the entry", "[controller][hosts]")
{
    world all = strict_world();
    const auto refused = [&](const std::string& host) {
        all.edit("/spec/hostname", '"' + host + '"');
        all.settle();
        const auto told = all.condition("RoutePublished");
        return told.reason == "HostNotAllowed" ? told.message : "allowed";
    };
    CHECK(
        refused("llm.example.org") ==
        "spec.hostname: namespace shop may not have llm.example.org; have the operator add to \"hosts\": "
        "{host: llm.example.org, namespaces: [shop]}, or leave the hostname out to sell on the public hosts"
    );
    CHECK(all.verdict("Ready") == "False/HostNotAllowed");
    CHECK(refused("example.net") != "allowed");
    CHECK(refused("shop.example.org") == "allowed");
    CHECK(refused("www.example.com") == "allowed");
    CHECK(refused("any.example.net") == "allowed");
    // Another namespace's name is none of this one's.
    all.settings.gateway.hosts.entries = {{"shop.example.org", {"bazaar"}, std::nullopt}};
    CHECK(refused("shop.example.org") != "allowed");
    // Entries add up.
    all.settings.gateway.hosts.entries.push_back({"shop.example.org", {"shop"}, std::nullopt});
    CHECK(refused("shop.example.org") == "allowed");
}

TEST_CASE("labels give a host as long as they are seen to", "[controller][hosts]")
{
    world all = strict_world();
    all.edit("/spec/hostname", "\"a.labels.test\"");
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/HostNotAllowed");
    CHECK_THAT(all.condition("RoutePublished").message, Catch::Matchers::Contains("nobody has shown yet"));
    all.seen.home = home(R"({"team": "bar"})");
    all.settle();
    CHECK_THAT(
        all.condition("RoutePublished").message, Catch::Matchers::Contains("may not have a.labels.test")
    );
    all.seen.home = home(R"({"team": "shop"})");
    all.settle();
    CHECK(all.seen.http_route);
    // What was sold is taken down again.
    all.seen.home = home("{}");
    all.settle();
    CHECK_FALSE(all.seen.http_route);
    CHECK_FALSE(all.seen.payment_route);
    CHECK(all.verdict("Ready") == "False/HostNotAllowed");
}

TEST_CASE("a public host has the public hosts' reserved paths and places", "[controller][hosts]")
{
    world all = strict_world();
    all.edit("/spec/path", "\"/\"");
    all.edit("/spec/hostname", "\"www.example.com\"");
    all.settle();
    CHECK(all.verdict("RoutePublished") == "False/ReservedPath");
    all.edit("/spec/hostname", "\"shop.example.org\"");
    all.settle();
    CHECK(all.verdict("RoutePublished") == "Unknown/WaitingForGateway");

    CHECK(place_among({"api.example.com", "/x"}, all.settings) == place{"", "/x"});
    CHECK(place_among({"www.example.com", "/x"}, all.settings) == place{"", "/x"});
    CHECK(place_among({"", "/x"}, all.settings) == place{"", "/x"});
    CHECK(place_among({"shop.example.org", "/x"}, all.settings) == place{"shop.example.org", "/x"});
    // Where every host is public, one that is named is still somebody's.
    all.settings.gateway.hosts.written_public = {"*"};
    CHECK(place_among({"shop.example.org", "/x"}, all.settings) == place{"shop.example.org", "/x"});
    CHECK(place_among({"api.example.com", "/x"}, all.settings) == place{"", "/x"});
}
