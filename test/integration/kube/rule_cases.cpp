// Rules of the API server that roles rely on without saying so, the same in memory and on the real server:
// who owns which field, what a patch may do, when an object is gone.

#include "world.hpp"

#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/lease_record.hpp>
#include <portitor/kube/list_all.hpp>
#include <portitor/kube/owner.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>

using namespace portitor;
using namespace portitor::test;
namespace json = boost::json;

namespace {

using strings = std::vector<std::string>;

kube::apply_options as(const std::string& manager, bool force = false)
{
    kube::apply_options how;
    how.field_manager = manager;
    how.force = force;
    return how;
}

json::object with_spec(const std::string& name, const std::string& spec)
{
    json::object out = widget(name);
    out["spec"] = json::parse(spec);
    return out;
}

json::object with_meta(const std::string& name, const std::string& member, const std::string& value)
{
    json::object out = widget(name);
    out["metadata"].as_object()[member] = json::parse(value);
    return out;
}

struct rules
{
    world w;
    client mine{w};

    kube::api_result<kube::object_ptr> apply(json::object wanted, kube::apply_options how)
    {
        return w.run(mine.api->apply(widgets, std::move(wanted), std::move(how)));
    }
    kube::api_result<kube::object_ptr> apply_status(const std::string& conditions, const std::string& manager)
    {
        json::object wanted = widget("a");
        wanted.erase("spec");
        wanted["status"] = json::object{{"conditions", json::parse(conditions)}};
        kube::apply_options how = as(manager);
        how.subresource = "status";
        return apply(std::move(wanted), how);
    }
    kube::api_result<kube::object_ptr> patch(const std::string& operations)
    {
        return w.run(mine.api->patch(widgets, widget_key("a"), json::parse(operations).as_array()));
    }
    kube::object_ptr live() { return w.run(mine.api->get(widgets, widget_key("a"))).value(); }

    strings conditions()
    {
        strings out;
        for (const kube::condition& each : kube::parse_conditions(live()->status()))
            out.push_back(each.type + "=" + each.status);
        std::sort(out.begin(), out.end());
        return out;
    }

    strings names(const std::string& labels, const std::string& fields = "")
    {
        kube::selection which;
        which.ns = "default";
        which.labels = labels;
        which.fields = fields;
        strings out;
        const auto listed =
            w.run(mine.api->list(widgets, which, {}, [&](json::object&& item, std::string_view) {
                out.push_back(kube::string_at(item, "metadata.name"));
                return result<void>();
            }));
        REQUIRE(listed);
        return out;
    }
};

}  // namespace

TEST_CASE_METHOD(rules, "conditions have owners of their own, each by its type")
{
    REQUIRE(apply(widget("a"), as("me")));
    REQUIRE(apply_status(R"([{"type":"Ready","status":"True"},{"type":"Accepted","status":"True"}])", "me"));
    REQUIRE(apply_status(R"([{"type":"Seen","status":"False"}])", "you"));
    CHECK(conditions() == strings{"Accepted=True", "Ready=True", "Seen=False"});
    REQUIRE(apply_status(R"([{"type":"New","status":"True"},{"type":"Ready","status":"False"}])", "me"));
    CHECK(conditions() == strings{"New=True", "Ready=False", "Seen=False"});

    const auto refused = apply_status(R"([{"type":"Ready","status":"Unknown"}])", "you");
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().causes().size() == 1);
    CHECK(refused.error().causes().front().field == R"(.status.conditions[type="Ready"].status)");
    CHECK(live()->meta.generation == 1);
}

TEST_CASE_METHOD(rules, "finalizers and owners have owners of their own, too")
{
    const auto owner = create_widget(w, "owner");
    const auto reference = kube::make_controller_reference(widgets, owner->meta, "default").value();
    json::object first = with_meta("a", "finalizers", R"(["example.com/mine"])");
    first["metadata"].as_object()["ownerReferences"] = json::array{reference};
    REQUIRE(apply(first, as("me")));
    REQUIRE(apply(with_meta("a", "finalizers", R"(["example.com/yours"])"), as("you")));
    strings both = live()->meta.finalizers;
    std::sort(both.begin(), both.end());
    CHECK(both == strings{"example.com/mine", "example.com/yours"});
    REQUIRE(live()->meta.controller());

    REQUIRE(apply(widget("a"), as("me")));
    CHECK(live()->meta.finalizers == strings{"example.com/yours"});
    CHECK(live()->meta.owners.empty());
    REQUIRE(apply(widget("a"), as("you")));
    CHECK(live()->meta.finalizers.empty());
}

TEST_CASE_METHOD(rules, "a field that two want goes when both have left it")
{
    REQUIRE(apply(with_spec("a", R"({"size":1,"note":"both"})"), as("me")));
    REQUIRE(apply(with_spec("a", R"({"note":"both"})"), as("you")));
    REQUIRE(apply(with_spec("a", R"({"size":1})"), as("me")));
    CHECK(live()->spec().contains("note"));
    REQUIRE(apply(with_spec("a", "{}"), as("you")));
    CHECK_FALSE(live()->spec().contains("note"));
    CHECK(live()->spec().at("size") == 1);
}

TEST_CASE_METHOD(rules, "an edit takes a field over from an apply, and force takes it back")
{
    REQUIRE(apply(widget("a", 1), as("me")));
    REQUIRE(patch(R"([{"op":"replace","path":"/spec/size","value":2}])"));
    const auto refused = apply(widget("a", 1), as("me"));
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().causes().size() == 1);
    CHECK(refused.error().causes().front().message.find("\"portitor\"") != std::string::npos);
    REQUIRE(apply(widget("a", 1), as("me", true)));
    CHECK(live()->spec().at("size") == 1);
    // What was taken from somebody by force does not go when he leaves it out.
    REQUIRE(apply(widget("a", 3), as("you", true)));
    REQUIRE(apply(with_spec("a", "{}"), as("me")));
    CHECK(live()->spec().at("size") == 3);
}

TEST_CASE_METHOD(rules, "labels with dots come and go as a whole")
{
    REQUIRE(apply(with_meta("a", "labels", R"({"app.kubernetes.io/name":"x","b":"y"})"), as("me")));
    REQUIRE(apply(with_meta("a", "labels", R"({"b":"y"})"), as("me")));
    CHECK(kube::labels_of(*live()) == json::object{{"b", "y"}});
    REQUIRE(apply(widget("a"), as("me")));
    CHECK_FALSE(live()->raw.at("metadata").as_object().contains("labels"));
}

TEST_CASE_METHOD(rules, "an apply may name the version that it means")
{
    const auto seen = create_widget(w, "a", 1);
    resize_widget(w, "a", 2);
    json::object stale = widget("a", 3);
    stale["metadata"].as_object()["resourceVersion"] = seen->meta.resource_version;
    const auto refused = apply(stale, as("me", true));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_conflict());
    json::object fresh = widget("a", 3);
    fresh["metadata"].as_object()["resourceVersion"] = live()->meta.resource_version;
    REQUIRE(apply(fresh, as("me", true)));
    CHECK(live()->spec().at("size") == 3);
}

TEST_CASE_METHOD(
    rules, "an apply without a manager is refused, and so is one to a status that the kind has not"
)
{
    const auto nobody = apply(widget("a"), as(""));
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == errc::invalid);

    const json::object map{
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"namespace", "default"}, {"name", "m"}}}};
    REQUIRE(w.run(mine.api->create(config_maps, map, kube::request_class::normal)));
    kube::apply_options how = as("me");
    how.subresource = "status";
    const auto refused = w.run(mine.api->apply(config_maps, map, how));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_not_found());
}

TEST_CASE_METHOD(rules, "a replacement has to say what it replaces")
{
    const auto seen = create_widget(w, "a", 1);
    json::object whole = seen->raw;
    whole["metadata"].as_object().erase("resourceVersion");
    whole["spec"].as_object()["size"] = 2;
    const auto refused = w.run(mine.api->replace(widgets, whole, kube::request_class::normal));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().http_status() == 422);
    CHECK(live()->spec().at("size") == 1);
}

TEST_CASE_METHOD(rules, "a patch holds as a whole or not at all")
{
    create_widget(w, "a", 1);
    for (const char* wrong : {
             R"([{"op":"replace","path":"/spec/size","value":5},{"op":"test","path":"/spec/size","value":4}])",
             R"([{"op":"remove","path":"/spec/note"}])",
             R"([{"op":"add","path":"/none/none","value":5}])",
             R"([{"op":"remove","path":"/metadata/finalizers/0"}])",
             R"([{"op":"test","path":"/spec/note","value":"x"}])",
         })
    {
        CAPTURE(wrong);
        const auto refused = patch(wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().http_status() == 422);
    }
    CHECK(live()->spec() == json::object{{"size", 1}});
    for (const char* fixed : {
             R"([{"op":"replace","path":"/metadata/name","value":"b"}])",
             R"([{"op":"replace","path":"/metadata/uid","value":"b"}])",
             R"([{"op":"replace","path":"/metadata/resourceVersion","value":"1"}])",
         })
    {
        CAPTURE(fixed);
        CHECK_FALSE(patch(fixed));
    }
    const auto same = patch(R"([{"op":"replace","path":"/spec/size","value":1}])");
    REQUIRE(same);
    CHECK((*same)->meta.generation == 1);
    REQUIRE(patch(R"([{"op":"add","path":"/metadata/labels","value":{"a.b/c":"d"}}])"));
    CHECK(live()->meta.generation == 1);
    REQUIRE(patch(R"([{"op":"replace","path":"/metadata/labels/a.b~1c","value":"e"}])"));
    CHECK(kube::labels_of(*live()).at("a.b/c") == "e");
    // RFC 6902 says otherwise of a member that is not there.
    REQUIRE(patch(R"([{"op":"replace","path":"/spec/note","value":"n"}])"));
    CHECK(live()->meta.generation == 2);
}

TEST_CASE_METHOD(rules, "an edit of a status by way of its object changes nothing")
{
    create_widget(w, "a", 1);
    const auto done = patch(R"([{"op":"add","path":"/status","value":{"size":1}}])");
    REQUIRE(done);
    CHECK(live()->status().empty());
}

TEST_CASE_METHOD(rules, "a deletion that waits is a new generation, once, and lets no new finalizer in")
{
    REQUIRE(w.run(mine.api->create(
        widgets,
        with_meta("a", "finalizers", R"(["example.com/a","example.com/b"])"),
        kube::request_class::normal
    )));
    kube::delete_options which;
    which.uid = live()->meta.uid;
    REQUIRE(w.run(mine.api->remove(widgets, widget_key("a"), which)));
    const auto dying = live();
    REQUIRE(dying->meta.deleted);
    CHECK(dying->meta.generation == 2);
    REQUIRE(w.run(mine.api->remove(widgets, widget_key("a"), which)));
    CHECK(live()->meta.resource_version == dying->meta.resource_version);

    const auto late = apply(with_meta("a", "finalizers", R"(["example.com/late"])"), as("me"));
    REQUIRE_FALSE(late);
    CHECK(late.error().http_status() == 422);
    // It may be edited still.
    REQUIRE(apply(widget("a", 7), as("me", true)));
    CHECK(live()->spec().at("size") == 7);
    CHECK(live()->meta.deleted == dying->meta.deleted);
    REQUIRE(patch(R"([{"op":"remove","path":"/metadata/finalizers"}])"));
    CHECK_FALSE(exists(w, "a"));
}

TEST_CASE_METHOD(rules, "what only the server writes cannot be said at a creation")
{
    json::object wanted = widget("a");
    json::object& meta = wanted["metadata"].as_object();
    meta["uid"] = "11111111-2222-3333-4444-555555555555";
    meta["generation"] = 70;
    meta["deletionTimestamp"] = "2020-01-01T00:00:00Z";
    meta["creationTimestamp"] = "2020-01-01T00:00:00Z";
    wanted["status"] = json::object{{"size", 1}};
    const auto made = w.run(mine.api->create(widgets, wanted, kube::request_class::normal));
    REQUIRE(made);
    CHECK((*made)->meta.uid != "11111111-2222-3333-4444-555555555555");
    CHECK((*made)->meta.generation == 1);
    CHECK_FALSE((*made)->meta.deleted);
    CHECK((*made)->meta.created > from_rfc3339("2020-01-02T00:00:00Z"));
    CHECK((*made)->status().empty());

    json::object nameless = widget("a");
    nameless["metadata"].as_object().erase("name");
    const auto refused = w.run(mine.api->create(widgets, nameless, kube::request_class::normal));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().http_status() == 422);
}

TEST_CASE_METHOD(rules, "selectors: equality, sets, existence")
{
    const auto make = [&](const std::string& name, const std::string& labels, const std::string& color) {
        json::object wanted = with_meta(name, "labels", labels);
        wanted["spec"].as_object()["color"] = color;
        REQUIRE(w.run(mine.api->create(widgets, wanted, kube::request_class::normal)));
    };
    make("a", R"({"app":"x","tier":"1"})", "red");
    make("b", R"({"app":"y"})", "red");
    make("c", "{}", "blue");
    CHECK(names("app=x") == strings{"a"});
    CHECK(names("app==x,tier=1") == strings{"a"});
    CHECK(names("app!=x") == strings{"b", "c"});
    CHECK(names("app in (x, y)") == strings{"a", "b"});
    CHECK(names("app notin (x,z),app") == strings{"b"});
    CHECK(names("!app") == strings{"c"});
    CHECK(names("app, !tier") == strings{"b"});
    CHECK(names("", "metadata.name=c") == strings{"c"});
    CHECK(names("", "spec.color=red,metadata.name!=a") == strings{"b"});
    kube::selection wrong;
    wrong.ns = "default";
    wrong.labels = "app near (x)";
    const auto refused = w.run(mine.api->list(widgets, wrong, {}, [](json::object&&, std::string_view) {
        return result<void>();
    }));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().http_status() == 400);
}

TEST_CASE_METHOD(rules, "a page may be asked for again")
{
    create_widgets(w, "w", 501);
    kube::selection which;
    which.ns = "default";
    strings first;
    strings again;
    const auto into = [](strings& to) {
        return [&to](json::object&& item, std::string_view) {
            to.push_back(kube::string_at(item, "metadata.name"));
            return result<void>();
        };
    };
    strings before;
    const auto page = w.run(mine.api->list(widgets, which, {}, into(before)));
    REQUIRE(page);
    CHECK(before.size() == 500);
    const kube::list_position next{"", page->continue_token};
    REQUIRE(w.run(mine.api->list(widgets, which, next, into(first))));
    remove_widget(w, "w-0500");
    REQUIRE(w.run(mine.api->list(widgets, which, next, into(again))));
    CHECK(first == strings{"w-0500"});
    CHECK(again == first);
}

TEST_CASE_METHOD(rules, "a kind can be read once, page by page and in parts, without a watch")
{
    struct : kube::watch_target
    {
        strings seen;
        int begun = 0;
        int complete = 0;

        void on_list_begin() override { ++begun; }
        result<void> on_item(json::object&& item, std::string_view) override
        {
            seen.push_back(kube::string_at(item, "metadata.name"));
            return {};
        }
        void on_listed() override { ++complete; }
        result<void> on_upsert(json::object&&, std::string_view) override { return {}; }
        void on_removal(const kube::object_key&) override {}
    } target;
    create_widgets(w, "w", 501);
    kube::selection here;
    here.ns = "default";
    kube::selection nowhere;
    nowhere.ns = "kube-public";
    REQUIRE(w.run(kube::list_all(*mine.api, widgets, {here, nowhere}, target)));
    CHECK(target.seen.size() == 501);
    CHECK(target.begun == 1);
    CHECK(target.complete == 1);

    const auto whole = w.run(kube::list_objects(*mine.api, widgets, {here}));
    REQUIRE(whole);
    CHECK(whole->size() == 501);
    CHECK((*whole)[500]->meta.name == "w-0500");
    kube::list_bounds few;
    few.objects = 3;
    few.cut = true;
    const auto some = w.run(kube::list_objects(*mine.api, widgets, {here}, few));
    REQUIRE(some);
    CHECK(some->size() == 3);

    here.labels = "app near (x)";
    CHECK_FALSE(w.run(kube::list_all(*mine.api, widgets, {here}, target)));
    CHECK(target.complete == 1);
}

TEST_CASE_METHOD(rules, "a kind that nobody knows is not found, whatever is asked of it")
{
    constexpr kube::resource strangers{"test.example", "v1", "strangers", "Stranger"};
    json::object wanted = widget("a");
    wanted["kind"] = "Stranger";
    const kube::api_result<kube::object_ptr> answers[] = {
        w.run(mine.api->get(strangers, widget_key("a"))),
        w.run(mine.api->create(strangers, wanted, kube::request_class::normal)),
        w.run(mine.api->apply(strangers, wanted, as("me"))),
        w.run(mine.api->patch(strangers, widget_key("a"), {})),
    };
    for (const auto& each : answers)
    {
        REQUIRE_FALSE(each);
        CHECK(each.error().is_not_found());
    }
    const auto watched = w.run(mine.api->watch(strangers, {}, "1", std::chrono::seconds(1)));
    REQUIRE_FALSE(watched);
    CHECK(watched.error().is_not_found());
}
