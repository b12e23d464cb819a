#include "catch.hpp"
#include "offer/watch_filters.hpp"
#include "offer/way_around.hpp"
#include "offer_world.hpp"

#include <portitor/kube/object_reader.hpp>

using namespace portitor;
using namespace portitor::offer;
namespace json = boost::json;

namespace {

using filter_ptr = std::shared_ptr<const kube::object_filter>;

// The object as a watch brings it.
kube::object_ptr read(const json::object& whole, const filter_ptr& filter)
{
    kube::object_ptr out;
    kube::list_reader reader(
        [&](json::object&& item, std::string_view cut) {
            auto made = kube::parse_unreadable(json::object(item, json::storage_ptr()), std::string(cut));
            out = made.value();
            return result<void>();
        },
        filter
    );
    const std::string text =
        R"({"metadata":{"resourceVersion":"1"},"items":[)" + json::serialize(whole) + "]}";
    REQUIRE(reader.feed(text).has_value());
    REQUIRE(out);
    return out;
}

json::object parsed(const std::string& text)
{
    return json::parse(text).as_object();
}

// Levels and bytes that nobody needs.
json::value waste()
{
    json::value deep = json::string(9 * 1024 * 1024, 'x');
    for (int i = 0; i < 200; ++i)
        deep = json::array{std::move(deep)};
    return deep;
}

void spoil(json::object& object)
{
    object["metadata"].as_object()["annotations"] = json::object{{"note", std::string(250000, 'x')}};
    object["spec"].as_object()["plugin"] = waste();
    object["status"] = json::object{{"more", waste()}};
}

}  // namespace

TEST_CASE("of others' Middlewares it is read whom they ask", "[offer][filter]")
{
    json::object theirs = parsed(
        R"({"kind":"Middleware","metadata":{"name":"auth","namespace":"team","uid":"u","resourceVersion":"7"},
            "spec":{"forwardAuth":{"address":"http://portitor-verifier.portitor.svc:8080/verify/team/x"}}})"
    );
    theirs["spec"].as_object()["forwardAuth"].as_object()["more"] = waste();
    spoil(theirs);
    const auto seen = read(theirs, middleware_filter());
    CHECK(seen->unreadable.empty());
    CHECK(
        json::serialize(seen->raw) ==
        R"({"kind":"Middleware","metadata":{"name":"auth","namespace":"team","uid":"u","resourceVersion":"7",)"
        R"("annotations":{}},"spec":{"forwardAuth":{"address":)"
        R"("http://portitor-verifier.portitor.svc:8080/verify/team/x"}}})"
    );
}

TEST_CASE("of others' HTTPRoutes it is read where they lead", "[offer][filter]")
{
    json::object theirs = parsed(
        R"({"metadata":{"name":"wide","namespace":"shop"},"spec":{
            "parentRefs":[{"namespace":"traefik","name":"traefik-gateway","sectionName":"web"}],
            "hostnames":["api.example.com"],
            "rules":[{"name":"r","matches":[{"path":{"type":"Exact","value":"/"},"method":"GET"}],
                      "filters":[{"type":"ExtensionRef","extensionRef":{"group":"traefik.io","kind":"Middleware","name":"m"}}],
                      "backendRefs":[{"name":"web","port":8080,"weight":1,"filters":[{"type":"x"}]}]}]}})"
    );
    const auto before = kube::parse_object(theirs).value();
    spoil(theirs);
    const auto seen = read(theirs, http_route_filter());
    CHECK(seen->unreadable.empty());
    CHECK(open_backends(*seen) == open_backends(*before));
    CHECK(deciding_middlewares(*seen) == deciding_middlewares(*before));
    CHECK(open_backends(*seen) == std::vector<std::string>{"shop/web"});
    CHECK(json::serialize(seen->spec()).size() < 500);
    CHECK(
        json::serialize(seen->spec().at("rules").at(0).at("matches")) ==
        R"([{"path":{"type":"Exact","value":"/"},"method":"GET"}])"
    );
    CHECK(seen->spec().at("parentRefs") == before->spec().at("parentRefs"));
    CHECK(seen->spec().at("hostnames") == before->spec().at("hostnames"));
}

TEST_CASE("what we have made is read whole, whatever of it is left", "[offer][filter]")
{
    test::world all;
    all.sell();
    struct sample
    {
        kube::object_ptr made;
        filter_ptr filter;
    };
    for (const sample& each :
         {sample{all.seen.middleware, middleware_filter()}, sample{all.seen.http_route, http_route_filter()}})
    {
        CHECK(read(each.made->raw, each.filter)->raw == each.made->raw);
        // Each sign by itself is enough.
        for (int sign = 0; sign < 4; ++sign)
        {
            CAPTURE(sign);
            json::object left = each.made->raw;
            json::object& meta = left["metadata"].as_object();
            const json::object whole = meta;
            meta = {{"name", sign == 0 ? whole.at("name") : json::value("renamed")}, {"namespace", "shop"}};
            if (sign == 1)
                meta["labels"] = whole.at("labels");
            if (sign == 2)
                meta["annotations"] = whole.at("annotations");
            if (sign == 3)
                meta["ownerReferences"] = whole.at("ownerReferences");
            left["spec"].as_object()["added"] = "by somebody";
            CHECK(read(left, each.filter)->raw == left);
        }
    }
}

TEST_CASE("what somebody nested too deeply into ours is put right", "[offer][filter]")
{
    test::world all;
    all.sell();
    json::object edited = all.seen.middleware->raw;
    edited["spec"].as_object()["plugin"] = waste();
    all.seen.middleware = read(edited, middleware_filter());
    CHECK_FALSE(all.seen.middleware->unreadable.empty());
    const plan next = all.look();
    REQUIRE(next.applies.size() == 1);
    CHECK(test::name_of(next.applies[0].kind) == "Middleware");
    CHECK(next.applies[0].foreign == std::vector<std::string>{"/spec/plugin"});
}

TEST_CASE("what only looks like ours costs no more than ours", "[offer][filter]")
{
    test::world all;
    all.sell();
    const std::string most(1400 * 1024, 'x');
    const auto check = [](json::object made, const filter_ptr& filter) {
        const auto seen = read(made, filter);
        CHECK_FALSE(seen->unreadable.empty());
        CHECK(seen->meta.name == kube::string_at(made, "metadata.name"));
        CHECK(seen->meta.uid == kube::string_at(made, "metadata.uid"));
        CHECK(json::serialize(seen->raw).size() < 300 * 1024);
    };
    for (const auto& [made, filter] :
         {std::pair(all.seen.middleware, middleware_filter()), {all.seen.http_route, http_route_filter()}})
    {
        json::object text = made->raw;
        text["spec"].as_object()["plugin"] = json::object{{"x", most}};
        check(text, filter);
        json::object owned = made->raw;
        json::array& owners = owned["metadata"].as_object()["ownerReferences"].as_array();
        for (int i = 0; i < 20000; ++i)
            owners.push_back(json::object{{"apiVersion", "a/b"}, {"kind", "K"}, {"name", "n"}, {"uid", "u"}});
        check(owned, filter);
    }
}

TEST_CASE("labels of others are not kept", "[offer][filter]")
{
    test::world all;
    all.sell();
    for (const auto& [made, filter] :
         {std::pair(all.offer, own_kind_filter()),
          {all.seen.middleware, middleware_filter()},
          {all.seen.http_route, http_route_filter()}})
    {
        json::object labelled = made->raw;
        json::object& metadata = labelled["metadata"].as_object();
        if (!metadata.contains("labels"))
            metadata["labels"] = json::object();
        const json::object before = labelled;
        for (int i = 0; i < 60000; ++i)
            metadata["labels"].as_object()["label" + std::to_string(i)] = "x";
        const auto seen = read(labelled, filter);
        CHECK(seen->unreadable.empty());
        CHECK(seen->raw == before);
    }
}

TEST_CASE("of the verifier's endpoints it is read which are ready", "[offer][filter]")
{
    const auto seen = read(
        parsed(R"({"metadata":{"name":"s"},"addressType":"IPv4","endpoints":[
            {"addresses":["10.0.0.1"],"conditions":{"ready":true},"targetRef":{"kind":"Pod"}}]})"),
        endpoint_slice_filter()
    );
    CHECK(json::serialize(seen->raw.at("endpoints")) == R"([{"conditions":{"ready":true}}])");
}

TEST_CASE("offers and their children keep all but others' annotations", "[offer][filter]")
{
    test::world all;
    all.sell();
    CHECK(read(all.offer->raw, own_kind_filter())->raw == all.offer->raw);
    CHECK(read(all.seen.payment_route->raw, own_kind_filter())->raw == all.seen.payment_route->raw);
    json::object noted = all.offer->raw;
    noted["metadata"].as_object()["annotations"] = json::object{{"note", std::string(250000, 'x')}};
    CHECK(json::serialize(read(noted, own_kind_filter())->raw).size() < 10000);
}
