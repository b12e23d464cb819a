// What a write does, and what it must not do, the same on the look-alike and on the real server.

#include "world.hpp"

#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/owner.hpp>

#include <algorithm>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

kube::apply_options as(const std::string& manager, bool force = true)
{
    kube::apply_options how;
    how.field_manager = manager;
    how.force = force;
    return how;
}

kube::apply_options status_as(const std::string& manager)
{
    kube::apply_options how = as(manager);
    how.subresource = "status";
    return how;
}

json::object with_uid(json::object wanted, const std::string& uid)
{
    wanted["metadata"].as_object()["uid"] = uid;
    return wanted;
}

json::object status_of(const kube::object_ptr& live, int size)
{
    json::object out = with_uid(widget(live->meta.name), live->meta.uid);
    out.erase("spec");
    out["status"] = {{"size", size}};
    return out;
}

kube::object_ptr live(world& w, const std::string& name)
{
    return w.run(w.other().api->get(widgets, widget_key(name))).value();
}

struct fixture
{
    world w;
    client mine{w};

    kube::api_result<kube::object_ptr> apply(json::object wanted, kube::apply_options how)
    {
        return w.run(mine.api->apply(widgets, std::move(wanted), std::move(how)));
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "an apply creates, changes, and changes nothing where nothing is to change")
{
    const auto made = apply(widget("a", 1), as("tester"));
    REQUIRE(made);
    CHECK((*made)->meta.generation == 1);
    const auto same = apply(widget("a", 1), as("tester"));
    REQUIRE(same);
    CHECK((*same)->meta.resource_version == (*made)->meta.resource_version);
    const auto changed = apply(widget("a", 2), as("tester"));
    REQUIRE(changed);
    CHECK((*changed)->meta.resource_version != (*made)->meta.resource_version);
    CHECK((*changed)->meta.generation == 2);
    CHECK((*changed)->meta.uid == (*made)->meta.uid);
}

TEST_CASE_METHOD(fixture, "what an apply leaves out goes, but not what others own")
{
    json::object first = widget("a", 1);
    first["spec"].as_object()["note"] = "mine";
    first["spec"].as_object()["color"] = "ours";
    REQUIRE(apply(first, as("tester")));
    json::object theirs = widget("a");
    theirs["spec"] = {{"color", "ours"}};
    REQUIRE(apply(theirs, as("somebody-else")));

    REQUIRE(apply(widget("a", 1), as("tester")));
    const auto left = live(w, "a");
    CHECK(left->spec().contains("size"));
    CHECK_FALSE(left->spec().contains("note"));
    CHECK(left->spec().at("color") == "ours");
}

TEST_CASE_METHOD(fixture, "what was written otherwise than by an apply is not taken back by one")
{
    json::object first = widget("a", 1);
    first["spec"].as_object()["note"] = "by a create";
    REQUIRE(w.run(mine.api->create(widgets, first, kube::request_class::normal)));
    REQUIRE(apply(widget("a", 1), as("tester")));
    CHECK(live(w, "a")->spec().at("note") == "by a create");
}

TEST_CASE_METHOD(fixture, "an apply with the UID of an object that is gone does not bring it back")
{
    const auto gone = create_widget(w, "a");
    remove_widget(w, "a");
    const auto refused = apply(with_uid(widget("a"), gone->meta.uid), as("tester"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_conflict());
    CHECK_FALSE(refused.error().is_already_exists());
    CHECK_FALSE(exists(w, "a"));
    // Nor does it touch another one of that name.
    create_widget(w, "a", 5);
    const auto other = apply(with_uid(widget("a", 6), gone->meta.uid), as("tester"));
    REQUIRE_FALSE(other);
    CAPTURE(other.error().http_status(), other.error().reason(), other.error().message());
    // The real server says 422: the field is immutable.
    CHECK(other.error().is_conflict());
    CHECK(other.error().code() == errc::conflict);
    CHECK(live(w, "a")->spec().at("size") == 5);
}

TEST_CASE_METHOD(fixture, "a status for an object that is gone is refused")
{
    const auto gone = create_widget(w, "a");
    remove_widget(w, "a");
    const auto refused = apply(status_of(gone, 1), status_as("tester"));
    REQUIRE_FALSE(refused);
    CHECK((refused.error().is_conflict() || refused.error().is_not_found()));
    CHECK_FALSE(exists(w, "a"));
}

TEST_CASE_METHOD(fixture, "a conflict names the field and its owner; force takes it over")
{
    REQUIRE(apply(widget("a", 1), as("first-one")));
    const auto refused = apply(widget("a", 2), as("tester", false));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().http_status() == 409);
    CHECK(refused.error().code() == errc::conflict);
    const auto causes = refused.error().causes();
    REQUIRE(causes.size() == 1);
    const kube::status_cause& cause = causes.front();
    CHECK(cause.reason == "FieldManagerConflict");
    CHECK(cause.field == ".spec.size");
    CHECK(cause.message.find("first-one") != std::string::npos);
    CHECK(live(w, "a")->spec().at("size") == 1);

    REQUIRE(apply(widget("a", 2), as("tester")));
    CHECK(live(w, "a")->spec().at("size") == 2);
    // It is the tester's now.
    CHECK_FALSE(apply(widget("a", 1), as("first-one", false)));
}

TEST_CASE_METHOD(fixture, "status and spec are written apart")
{
    json::object both = widget("a", 1);
    both["status"] = {{"size", 9}};
    REQUIRE(apply(both, as("tester")));
    const auto made = live(w, "a");
    CHECK(made->status().empty());

    json::object status = status_of(made, 3);
    status["spec"] = {{"size", 100}};
    REQUIRE(apply(status, status_as("tester-status")));
    const auto changed = live(w, "a");
    CHECK(changed->status().at("size") == 3);
    CHECK(changed->spec().at("size") == 1);
    CHECK(changed->meta.generation == made->meta.generation);
    // The same again is no change, and the spec's owner does not take the status along.
    const auto same = apply(status_of(made, 3), status_as("tester-status"));
    REQUIRE(same);
    CHECK((*same)->meta.resource_version == changed->meta.resource_version);
    REQUIRE(apply(widget("a", 2), as("tester")));
    CHECK(live(w, "a")->status().at("size") == 3);
}

TEST_CASE_METHOD(fixture, "a misspelt field is refused, not dropped")
{
    json::object wanted = widget("a", 1);
    wanted["spec"].as_object()["sise"] = 2;
    const auto refused = apply(wanted, as("tester"));
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().http_status(), refused.error().message());
    CHECK(refused.error().message().find("sise") != std::string::npos);
    CHECK_FALSE(exists(w, "a"));
}

TEST_CASE_METHOD(fixture, "finalizers come and go beside somebody else's")
{
    const auto created = create_widget(w, "a");
    const auto theirs = kube::add_finalizer_patch(created->meta, "example.com/theirs").value();
    const auto first = w.run(w.other().api->patch(widgets, widget_key("a"), theirs)).value();
    const auto ours = kube::add_finalizer_patch(first->meta, "example.com/ours").value();
    const auto second = w.run(mine.api->patch(widgets, widget_key("a"), ours)).value();
    CHECK(second->meta.finalizers == std::vector<std::string>{"example.com/theirs", "example.com/ours"});

    // What was seen before is not what there is: refused, and nothing is lost.
    const auto stale = w.run(mine.api->patch(widgets, widget_key("a"), ours));
    REQUIRE_FALSE(stale);
    CHECK(stale.error().http_status() == 422);

    remove_widget(w, "a");
    const auto dying = live(w, "a");
    REQUIRE(dying->meta.deleted);
    CHECK_FALSE(kube::add_finalizer_patch(dying->meta, "example.com/late"));
    // Whoever tries all the same learns that it is too late.
    kube::object_meta blind = dying->meta;
    blind.deleted.reset();
    const auto late = kube::add_finalizer_patch(blind, "example.com/late").value();
    CHECK_FALSE(w.run(mine.api->patch(widgets, widget_key("a"), late)));

    const auto away = kube::remove_finalizer_patch(dying->meta, "example.com/ours").value();
    const auto without = w.run(mine.api->patch(widgets, widget_key("a"), away)).value();
    CHECK(without->meta.finalizers == std::vector<std::string>{"example.com/theirs"});
    const auto last = kube::remove_finalizer_patch(without->meta, "example.com/theirs").value();
    REQUIRE(w.run(w.other().api->patch(widgets, widget_key("a"), last)));
    CHECK_FALSE(exists(w, "a"));
}

TEST_CASE_METHOD(fixture, "a removal means one object, not one name")
{
    const auto old = create_widget(w, "a");
    remove_widget(w, "a");
    create_widget(w, "a", 2);
    kube::delete_options which;
    which.uid = old->meta.uid;
    // What was meant is gone: that is what was wanted.
    CHECK(w.run(mine.api->remove(widgets, widget_key("a"), which)));
    CHECK(live(w, "a")->spec().at("size") == 2);
    CHECK(w.run(mine.api->remove(widgets, widget_key("never-there"), which)));

    // With a version it is an error: the caller wants to know.
    kube::delete_options exact;
    exact.uid = live(w, "a")->meta.uid;
    exact.resource_version = "1";
    const auto refused = w.run(mine.api->remove(widgets, widget_key("a"), exact));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_conflict());
    CHECK(exists(w, "a"));
}

TEST_CASE_METHOD(fixture, "a replacement of what has changed is refused")
{
    const auto seen = create_widget(w, "a", 1);
    resize_widget(w, "a", 2);
    json::object stale = seen->raw;
    stale["spec"].as_object()["size"] = 3;
    const auto refused = w.run(mine.api->replace(widgets, stale, kube::request_class::normal));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_conflict());
    CHECK(refused.error().reason() == "Conflict");
    json::object fresh = live(w, "a")->raw;
    fresh["spec"].as_object()["size"] = 3;
    REQUIRE(w.run(mine.api->replace(widgets, fresh, kube::request_class::normal)));
    CHECK(live(w, "a")->spec().at("size") == 3);
}

TEST_CASE_METHOD(fixture, "the three meanings of 409 are told apart")
{
    const auto seen = create_widget(w, "a", 1);
    const auto taken = w.run(mine.api->create(widgets, widget("a"), kube::request_class::normal));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().is_already_exists());

    resize_widget(w, "a", 2);
    json::object stale = seen->raw;
    stale["spec"].as_object()["note"] = "late";
    const auto changed = w.run(mine.api->replace(widgets, stale, kube::request_class::normal));
    REQUIRE_FALSE(changed);
    CHECK(changed.error().reason() == "Conflict");
    CHECK(changed.error().causes().empty());

    const auto owned = apply(widget("a", 5), as("tester", false));
    REQUIRE_FALSE(owned);
    CHECK(owned.error().reason() == "Conflict");
    const auto causes = owned.error().causes();
    REQUIRE(causes.size() == 1);
    CHECK(causes.front().reason == "FieldManagerConflict");
}

TEST_CASE_METHOD(fixture, "a dry run answers and writes nothing")
{
    kube::apply_options how = as("tester");
    how.dry_run = true;
    const auto would = apply(widget("a", 7), how);
    REQUIRE(would);
    CHECK((*would)->spec().at("size") == 7);
    CHECK_FALSE(exists(w, "a"));

    const auto made = create_widget(w, "b", 1);
    REQUIRE(apply(widget("b", 7), how));
    CHECK(live(w, "b")->meta.resource_version == made->meta.resource_version);
    CHECK(live(w, "b")->spec().at("size") == 1);
}

TEST_CASE_METHOD(fixture, "an owner in another namespace is refused before the garbage collector sees it")
{
    const auto owner = create_widget(w, "owner");
    const auto refused = kube::make_controller_reference(widgets, owner->meta, "elsewhere");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::invalid);

    auto reference = kube::make_controller_reference(widgets, owner->meta, "default");
    REQUIRE(reference);
    json::object child = widget("child");
    json::array owners;
    owners.push_back(*reference);
    child["metadata"].as_object()["ownerReferences"] = owners;
    const auto made = apply(child, as("tester"));
    REQUIRE(made);
    REQUIRE((*made)->meta.controller());
    CHECK((*made)->meta.controller()->uid == owner->meta.uid);
}
