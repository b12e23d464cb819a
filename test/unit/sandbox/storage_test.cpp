#include "catch.hpp"
#include "sandbox_world.hpp"

using namespace portitor;
using namespace portitor::sandbox;
using namespace portitor::sandbox::samples;
namespace json = boost::json;

namespace {

using strings = std::vector<std::string>;

constexpr kube::resource strangers{"test.example", "v1", "strangers", "Stranger"};

kube::apply_options status_as(const std::string& manager)
{
    kube::apply_options how = as(manager);
    how.subresource = "status";
    return how;
}

json::object conditions(const std::string& list)
{
    json::object out = widget("a");
    out.erase("spec");
    out["status"] = parsed(R"({"conditions":)" + list + "}");
    return out;
}

strings types(const kube::object_ptr& of)
{
    strings out;
    for (const kube::condition& each : kube::parse_conditions(of->status()))
        out.push_back(each.type + "=" + each.status);
    return out;
}

}  // namespace

TEST_CASE_METHOD(sandbox_world, "a kind that nobody has added is 404 for every verb")
{
    json::object wanted = widget("a");
    const kube::api_result<kube::object_ptr> answers[] = {
        run(client.get(strangers, key("a"))),
        run(client.create(strangers, wanted, kube::request_class::normal)),
        run(client.replace(strangers, wanted, kube::request_class::normal)),
        run(client.patch(strangers, key("a"), {})),
        run(client.apply(strangers, wanted, as("me"))),
    };
    for (const auto& each : answers)
    {
        REQUIRE_FALSE(each);
        CHECK(each.error().is_not_found());
    }
    const auto watched = run(client.watch(strangers, {}, "1", std::chrono::seconds(1)));
    REQUIRE_FALSE(watched);
    CHECK(watched.error().is_not_found());
    const auto listed = run(client.list(strangers, {}, {}, {}));
    REQUIRE_FALSE(listed);
    CHECK(listed.error().is_not_found());
}

TEST_CASE_METHOD(sandbox_world, "a namespaced object needs a namespace, and one of the cluster has none")
{
    json::object nowhere = widget("a");
    nowhere["metadata"].as_object().erase("namespace");
    CHECK(run(client.create(widgets, nowhere, kube::request_class::normal)).error().is_not_found());
    json::object zone = parsed(R"({"metadata":{"name":"z"}})");
    CHECK(create(zone, zones)->meta.ns.empty());
    CHECK(run(client.get(zones, {"", "z"})));
    CHECK(run(client.get(zones, {"default", "z"})).error().is_not_found());
}

TEST_CASE_METHOD(sandbox_world, "what the server writes is the server's")
{
    json::object wanted = widget("a");
    json::object& meta = wanted["metadata"].as_object();
    meta["uid"] = "mine";
    meta["resourceVersion"] = "7";
    meta["generation"] = 70;
    meta["deletionTimestamp"] = "2020-01-01T00:00:00Z";
    meta["creationTimestamp"] = "2020-01-01T00:00:00Z";
    const auto made = create(wanted);
    CHECK(made->meta.uid != "mine");
    CHECK(made->meta.resource_version != "7");
    CHECK(made->meta.generation == 1);
    CHECK_FALSE(made->meta.deleted);
    CHECK(to_rfc3339(made->meta.created) == "2026-11-24T20:17:00Z");
    // apiVersion, kind and metadata come first, as a reader that chooses by them relies on.
    CHECK(made->raw.begin()->key() == "apiVersion");
    CHECK((made->raw.begin() + 2)->key() == "metadata");
}

TEST_CASE_METHOD(
    sandbox_world, "an apply owns what it says: others' conditions stay, in the order of who applies"
)
{
    REQUIRE(apply(widget("a"), as("me")));
    REQUIRE(apply(
        conditions(R"([{"type":"Ready","status":"True"},{"type":"Accepted","status":"True"}])"),
        status_as("me")
    ));
    REQUIRE(apply(conditions(R"([{"type":"Seen","status":"False"}])"), status_as("you")));
    CHECK(types(live("a")) == strings{"Seen=False", "Ready=True", "Accepted=True"});

    // One of mine changes, one goes, a third comes; the other one's is left alone.
    REQUIRE(apply(
        conditions(R"([{"type":"New","status":"True"},{"type":"Ready","status":"False"}])"), status_as("me")
    ));
    CHECK(types(live("a")) == strings{"New=True", "Ready=False", "Seen=False"});
    const auto refused = apply(conditions(R"([{"type":"Ready","status":"Unknown"}])"), status_as("you"));
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().causes().size() == 1);
    CHECK(refused.error().causes().front().field == R"(.status.conditions[type="Ready"].status)");
    CHECK(live("a")->meta.generation == 1);
}

TEST_CASE_METHOD(sandbox_world, "other lists belong together")
{
    REQUIRE(apply(widget("a", R"({"tags":["x","y"]})"), as("me")));
    const auto refused = apply(widget("a", R"({"tags":["x","y","z"]})"), as("you"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().causes().front().field == ".spec.tags");
    REQUIRE(apply(widget("a", R"({"tags":["z"]})"), as("you", true)));
    CHECK(live("a")->spec().at("tags") == json::array{"z"});
    // Taken over: what was mine does not go when I leave it out.
    REQUIRE(apply(widget("a", "{}"), as("me")));
    CHECK(live("a")->spec().at("tags") == json::array{"z"});
}

TEST_CASE_METHOD(sandbox_world, "a version that is named must be the live one, in every write")
{
    const auto seen = create(widget("a"));
    REQUIRE(apply(widget("a", R"({"size":2})"), as("me", true)));
    json::object stale = seen->raw;
    stale["spec"].as_object()["size"] = 9;
    CHECK(run(client.replace(widgets, stale, kube::request_class::normal)).error().is_conflict());
    json::object wanted = widget("a", R"({"size":9})");
    wanted["metadata"].as_object()["resourceVersion"] = seen->meta.resource_version;
    CHECK(apply(wanted, as("me", true)).error().is_conflict());
    kube::delete_options which;
    which.uid = seen->meta.uid;
    which.resource_version = seen->meta.resource_version;
    CHECK(remove("a", which).error().is_conflict());
    CHECK(live("a")->spec().at("size") == 2);
    json::object unguarded = stale;
    unguarded["metadata"].as_object().erase("resourceVersion");
    CHECK(run(client.replace(widgets, unguarded, kube::request_class::normal)).error().http_status() == 422);
    CHECK(live("a")->spec().at("size") == 2);
}

TEST_CASE_METHOD(sandbox_world, "what changes nothing is no new version")
{
    const auto made = create(widget("a"));
    CHECK(
        patch("a", R"([{"op":"replace","path":"/spec/size","value":1}])").value()->meta.resource_version ==
        made->meta.resource_version
    );
    CHECK(
        patch("a", R"([{"op":"add","path":"/metadata/labels","value":{"x":"y"}}])")
            .value()
            ->meta.generation == 1
    );
    CHECK(patch("a", R"([{"op":"add","path":"/spec/note","value":"n"}])").value()->meta.generation == 2);
}

TEST_CASE_METHOD(sandbox_world, "a patch holds as a whole or not at all")
{
    create(widget("a", R"({"size":1,"a/b":"c","list":[1,2]})"));
    REQUIRE(
        patch("a", R"([{"op":"test","path":"/spec/a~1b","value":"c"},{"op":"remove","path":"/spec/a~1b"}])")
    );
    REQUIRE(patch(
        "a",
        R"([{"op":"add","path":"/spec/list/1","value":7},{"op":"replace","path":"/spec/list/0","value":0},
        {"op":"remove","path":"/spec/list/2"},{"op":"add","path":"/spec/list/-","value":8}])"
    ));
    CHECK(live("a")->spec() == parsed(R"({"size":1,"list":[0,7,8]})"));
    for (const char* wrong : {
             R"([{"op":"replace","path":"/spec/size","value":5},{"op":"test","path":"/spec/size","value":4}])",
             R"([{"op":"remove","path":"/spec/none"}])",
             R"([{"op":"add","path":"/none/none","value":5}])",
             R"([{"op":"add","path":"/spec/list/9","value":5}])",
             R"([{"op":"remove","path":"/spec/list/-"}])",
             R"([{"op":"add","path":"/spec/size"}])",
             R"([{"op":"move","from":"/spec/size","path":"/spec/note"}])",
             R"([{"op":"replace","path":"/metadata/name","value":"b"}])",
             R"([17])",
         })
    {
        CAPTURE(wrong);
        const auto refused = patch("a", wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().http_status() == 422);
    }
    CHECK(live("a")->spec().at("size") == 1);
}

TEST_CASE_METHOD(sandbox_world, "an object with finalizers is deleted when the last one is gone")
{
    json::object wanted = widget("a");
    wanted["metadata"].as_object()["finalizers"] = json::array{"x/one", "x/two"};
    const auto made = create(wanted);
    REQUIRE(remove("a"));
    const auto dying = live("a");
    REQUIRE(dying->meta.deleted);
    CHECK(to_rfc3339(*dying->meta.deleted) == "2026-11-24T20:17:00Z");
    CHECK(dying->meta.generation == 2);
    // A second time is no news.
    REQUIRE(remove("a"));
    CHECK(live("a")->meta.resource_version == dying->meta.resource_version);

    wanted["metadata"].as_object()["finalizers"] = json::array{"x/one", "x/two", "x/late"};
    CHECK(apply(wanted, as("me", true)).error().http_status() == 422);
    REQUIRE(patch("a", R"([{"op":"remove","path":"/metadata/finalizers/0"}])"));
    CHECK(live("a")->meta.finalizers == strings{"x/two"});
    // Its spec may change meanwhile.
    REQUIRE(patch("a", R"([{"op":"replace","path":"/spec/size","value":2}])"));
    CHECK(live("a")->meta.deleted);
    const auto stream = watch(live("a")->meta.resource_version);
    REQUIRE(patch("a", R"([{"op":"remove","path":"/metadata/finalizers/0"}])"));
    CHECK_FALSE(exists("a"));
    CHECK(read(*stream) == strings{"DELETED a"});
    CHECK(create(widget("a"))->meta.uid != made->meta.uid);
}

TEST_CASE("what is stored is bounded")
{
    storage_limits limits;
    limits.objects = 2;
    limits.object_bytes = 1000;
    sandbox_world w(limits);
    CHECK(
        w.apply(widget("big", R"({"note":")" + std::string(1000, 'x') + "\"}"), as("me"))
            .error()
            .http_status() == 413
    );
    w.create(widget("a"));
    w.create(widget("b"));
    CHECK(w.apply(widget("c"), as("me")).error().http_status() == 507);
    CHECK(w.apply(widget("b", R"({"size":2})"), as("me", true)));
    REQUIRE(w.remove("a"));
    CHECK(w.apply(widget("c"), as("me")));
}

TEST_CASE_METHOD(sandbox_world, "selectors: equality, sets, existence; what is none is refused")
{
    const auto labelled = [&](const std::string& name, json::object labels) {
        json::object wanted = widget(name);
        wanted["metadata"].as_object()["labels"] = std::move(labels);
        create(wanted);
    };
    labelled("a", {{"app", "x"}, {"tier", "1"}});
    labelled("b", {{"app", "y"}});
    labelled("c", {});
    const auto selected = [&](const std::string& labels, const std::string& fields = "") {
        strings names;
        kube::selection which;
        which.labels = labels;
        which.fields = fields;
        REQUIRE(list(names, {}, which));
        return names;
    };
    CHECK(selected("app=x") == strings{"a"});
    CHECK(selected("app==x,tier=1") == strings{"a"});
    CHECK(selected("app!=x") == strings{"b", "c"});
    CHECK(selected("app in (x, y)") == strings{"a", "b"});
    CHECK(selected("app notin (x,z),app") == strings{"b"});
    CHECK(selected("!app") == strings{"c"});
    CHECK(selected("app, !tier") == strings{"b"});
    CHECK(selected("", "metadata.name=c") == strings{"c"});
    CHECK(selected("", "metadata.name!=c") == strings{"a", "b"});
    for (const char* wrong : {"app in x", "app near (x)", "=x", "two words"})
    {
        strings names;
        kube::selection which;
        which.labels = wrong;
        CHECK(list(names, {}, which).error().http_status() == 400);
    }
}
