// What an informer must live through, the same on the look-alike and on the real server.

#include "world.hpp"

#include <portitor/kube/finalizer.hpp>

#include <algorithm>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;

namespace {

// In order of time; a watch that is opened anew may say nothing twice.
std::vector<std::string> about(const watching& seen, const std::string& name)
{
    std::vector<std::string> out;
    for (const std::string& each : seen.told)
    {
        if (each.substr(each.find_first_not_of("+-")) == name)
            out.push_back(each);
    }
    return out;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("1200 objects come in pages, and then what changes")
{
    world w;
    create_widgets(w, "many", 1200);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.informer.synced(); }));
    CHECK(seen.size() == 1200);
    CHECK(seen.lists() == 1);
    // One request for each page of 500, and the watch.
    REQUIRE(w.wait([&] { return seen.connected(); }));
    CHECK(mine.requests() == 4);

    resize_widget(w, "many-0700", 7000);
    create_widget(w, "one-more");
    remove_widget(w, "many-0001");
    REQUIRE(w.wait([&] { return seen.has("one-more") && !seen.has("many-0001"); }));
    CHECK(seen.find("many-0700")->spec().at("size") == 7000);
    CHECK(seen.size() == 1200);
    CHECK(seen.told.size() == 1203);
}

TEST_CASE("a watch that the server ends goes on where it was")
{
    world w;
    client mine(w);
    kube::watch_options timing{1s, 1s, 1s};
    watching seen(w, mine, {}, timing);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    for (int i = 0; i < 4; ++i)
    {
        create_widget(w, fmt::format("w-{}", i));
        w.pass(1100ms);
    }
    REQUIRE(w.wait([&] { return seen.size() == 4; }));
    CHECK(seen.lists() == 1);
    CHECK(seen.failures() == 0);
    CHECK(seen.told == strings{"+w-0", "+w-1", "+w-2", "+w-3"});
    CHECK(mine.requests() >= 4);
}

TEST_CASE("an object under another UID is a removal and an addition")
{
    world w;
    create_widget(w, "a");
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.has("a"); }));
    const std::string first = seen.find("a")->meta.uid;

    SECTION("when the watch tells")
    {
        remove_widget(w, "a");
        create_widget(w, "a");
    }
    SECTION("when only a list can tell")
    {
        w.run(w.server().stop());
        w.run(w.server().remove_unseen(widget_key("a")));
        w.run(w.server().start());
        create_widget(w, "a");
    }
    REQUIRE(w.wait([&] { return seen.has("a") && seen.find("a")->meta.uid != first; }));
    CHECK(about(seen, "a") == strings{"+a", "-a", "+a"});
}

TEST_CASE("a server that was killed: the store catches up, also with what was deleted meanwhile")
{
    world w;
    create_widgets(w, "w", 20);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));

    w.run(w.server().stop());
    REQUIRE(w.wait([&] { return !seen.connected() && seen.failures() >= 2; }));
    CHECK(seen.size() == 20);
    CHECK(seen.informer.synced());
    w.run(w.server().remove_unseen(widget_key("w-0003")));
    w.run(w.server().start());
    create_widget(w, "new");

    REQUIRE(w.wait([&] { return seen.has("new") && !seen.has("w-0003"); }));
    CHECK(seen.size() == 20);
    CHECK(about(seen, "w-0003") == strings{"+w-0003", "-w-0003"});
    CHECK(about(seen, "w-0004") == strings{"+w-0004"});
    // A server that does not hang on to its history over a restart wants a list; nothing else does.
    CHECK(seen.lists() <= (w.server().can(ability::history_after_restart) ? 1 : 2));
}

TEST_CASE("a server that stands still is noticed, and no harm is done")
{
    world w;
    create_widget(w, "a");
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));

    w.run(w.server().freeze());
    const auto frozen_at = std::chrono::steady_clock::now();
    // Its sockets are all open: only the watch's own deadline, 3 s and 1 s, can tell.
    REQUIRE(w.wait([&] { return !seen.connected(); }, 10s));
    CHECK(std::chrono::steady_clock::now() - frozen_at < 6s);
    CHECK(seen.informer.disconnected_for());
    CHECK(seen.has("a"));

    SECTION("it goes on")
    {
        w.run(w.server().thaw());
    }
    SECTION("it is started anew")
    {
        w.run(w.server().stop());
        w.run(w.server().start());
    }
    create_widget(w, "b");
    REQUIRE(w.wait([&] { return seen.has("b") && seen.connected(); }, 45s));
    CHECK_FALSE(seen.informer.disconnected_for());
    CHECK(about(seen, "a") == strings{"+a"});
    CHECK(seen.lists() <= (w.server().can(ability::history_after_restart) ? 1 : 2));
}

TEST_CASE("a history that is gone means one list, and the store is right")
{
    world w;
    create_widgets(w, "w", 5);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));

    w.run(w.server().compact());
    create_widget(w, "late");
    remove_widget(w, "w-0000");
    REQUIRE(w.wait([&] { return seen.has("late") && !seen.has("w-0000"); }));
    CHECK(seen.size() == 5);
    CHECK(seen.lists() == 2);
    CHECK(about(seen, "w-0001") == strings{"+w-0001"});
    // And the watch after the list stays.
    REQUIRE(w.wait([&] { return seen.connected(); }));
    create_widget(w, "later");
    REQUIRE(w.wait([&] { return seen.has("later"); }));
    CHECK(seen.lists() == 2);
}

TEST_CASE("a CRD that is deleted: its objects go, and nobody runs hot; one that is back is a fresh start")
{
    world w;
    create_widgets(w, "w", 3);
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    const std::string first = seen.find("w-0000")->meta.uid;

    w.run(w.server().drop_kind());
    REQUIRE(w.wait([&] { return seen.size() == 0 && !seen.connected(); }));
    CHECK(about(seen, "w-0000") == strings{"+w-0000", "-w-0000"});
    const double asked = mine.requests();
    w.pass(4s);
    // 0.8 s, doubling, less up to the half: not more than these attempts.
    CHECK(mine.requests() - asked <= 5);
    CHECK(seen.failures() >= 1);

    w.run(w.server().add_kind());
    create_widget(w, "w-0000", 2);
    REQUIRE(w.wait([&] { return seen.has("w-0000"); }, 45s));
    CHECK(seen.find("w-0000")->meta.uid != first);
    CHECK(seen.size() == 1);
    REQUIRE(w.wait([&] { return seen.connected(); }));
}

TEST_CASE("a CRD that is not there yet is waited for")
{
    world w;
    w.run(w.server().drop_kind());
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.failures() >= 2; }));
    CHECK_FALSE(seen.informer.synced());
    CHECK(seen.informer.disconnected_for());
    CHECK(mine.requests() <= 3);

    w.run(w.server().add_kind());
    create_widget(w, "first");
    REQUIRE(w.wait([&] { return seen.has("first"); }));
    CHECK(seen.informer.synced());
    CHECK_FALSE(seen.informer.disconnected_for());
}

TEST_CASE("an object that leaves the selection is gone, and one that joins it is new")
{
    world w;
    for (const char* name : {"a", "b"})
    {
        auto wanted = widget(name);
        wanted["metadata"].as_object()["labels"] = {{"app", name}};
        wanted["spec"].as_object()["color"] = name;
        REQUIRE(w.run(w.other().api->create(widgets, wanted, kube::request_class::normal)));
    }
    client mine(w);
    kube::selection which;
    which.ns = "default";
    boost::json::array change;
    std::string path;
    SECTION("by a label")
    {
        which.labels = "app=a";
        path = "/metadata/labels/app";
    }
    SECTION("by a field")
    {
        which.fields = "spec.color=a";
        path = "/spec/color";
    }
    watching seen(w, mine, which);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    CHECK(seen.told == strings{"+a"});

    const auto set = [&](const std::string& name, const std::string& value) {
        boost::json::object operation{{"op", "replace"}, {"path", path}, {"value", value}};
        boost::json::array operations;
        operations.push_back(operation);
        return w.run(w.other().api->patch(widgets, widget_key(name), operations)).has_value();
    };
    REQUIRE(set("a", "x"));
    REQUIRE(set("b", "a"));
    REQUIRE(w.wait([&] { return seen.has("b"); }));
    CHECK(seen.told == strings{"+a", "-a", "+b"});
    // What is outside tells nothing.
    REQUIRE(set("a", "y"));
    REQUIRE(set("b", "z"));
    REQUIRE(w.wait([&] { return !seen.has("b"); }));
    CHECK(seen.told == strings{"+a", "-a", "+b", "-b"});
}

TEST_CASE("a selective watch in a busy collection is not left behind")
{
    // Without bookmarks its version would be that of the last event, which another kind's changes have made
    // old.
    world w;
    create_widget(w, "a");
    client mine(w);
    kube::selection which;
    which.labels = "app=none";
    kube::watch_options timing{1s, 1s, 1s};
    watching seen(w, mine, which, timing);
    REQUIRE(w.wait([&] { return seen.informer.synced(); }));
    for (int i = 0; i < 3; ++i)
    {
        resize_widget(w, "a", 10 + i);
        w.pass(1200ms);
    }
    CHECK(seen.lists() == 1);
    CHECK(seen.told.empty());
}

TEST_CASE("metadata alone has neither spec nor status")
{
    world w;
    create_widget(w, "a", 7);
    client mine(w);
    kube::selection which;
    which.metadata_only = true;
    watching seen(w, mine, which);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    create_widget(w, "b", 8);
    REQUIRE(w.wait([&] { return seen.has("b"); }));
    for (const char* name : {"a", "b"})
    {
        CHECK_FALSE(seen.find(name)->raw.contains("spec"));
        CHECK_FALSE(seen.find(name)->meta.uid.empty());
        CHECK_FALSE(seen.find(name)->raw.at("metadata").as_object().contains("managedFields"));
    }
}

TEST_CASE("a namespace of its own hides the others")
{
    world w;
    auto elsewhere = widget("b");
    elsewhere["metadata"].as_object()["namespace"] = "elsewhere";
    REQUIRE(w.run(w.other().api->create(widgets, elsewhere, kube::request_class::normal)));
    create_widget(w, "a");
    client mine(w);
    kube::selection which;
    which.ns = "default";
    watching seen(w, mine, which);
    client everywhere(w);
    watching all(w, everywhere);
    REQUIRE(w.wait([&] { return seen.informer.synced() && all.informer.synced(); }));
    CHECK(seen.told == strings{"+a"});
    CHECK(all.size() == 2);
}

TEST_CASE(
    "a token that is replaced: requests go on, and so does a watch that was opened with the old one", "[http]"
)
{
    world w;
    client mine(w, w.server().token_kubeconfig());
    kube::watch_options timing{60s, 60s, 5s};
    watching seen(w, mine, {}, timing);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    const double watches = mine.requests();

    w.run(w.server().rotate_token());
    // The real server remembers for ten seconds that a token was good.
    create_widget(w, "a");
    bool all_good = true;
    for (int i = 0; i < 60 && mine.requests("code=\"401\"") == 0; ++i)
    {
        all_good = all_good && w.run(mine.api->get(widgets, widget_key("a"))).has_value();
        w.run(w.time().sleep_for(250ms));
    }
    CHECK(all_good);
    CHECK(mine.requests("code=\"401\"") == 1);
    CHECK(w.run(mine.api->get(widgets, widget_key("a"))).has_value());
    CHECK(mine.requests("code=\"401\"") == 1);
    CHECK(mine.requests() > watches);

    create_widget(w, "b");
    REQUIRE(w.wait([&] { return seen.has("b"); }));
    CHECK(seen.lists() == 1);
    CHECK(seen.failures() == 0);
}

TEST_CASE("an object that waits for its finalizers is seen to be on its way")
{
    world w;
    auto wanted = widget("a");
    boost::json::array finalizers;
    finalizers.emplace_back("example.com/wait");
    wanted["metadata"].as_object()["finalizers"] = finalizers;
    REQUIRE(w.run(w.other().api->create(widgets, wanted, kube::request_class::normal)));
    client mine(w);
    watching seen(w, mine);
    REQUIRE(w.wait([&] { return seen.connected(); }));
    remove_widget(w, "a");
    REQUIRE(w.wait([&] { return seen.has("a") && seen.find("a")->meta.deleted; }));
    const auto away = kube::remove_finalizer_patch(seen.find("a")->meta, "example.com/wait").value();
    REQUIRE(w.run(w.other().api->patch(widgets, widget_key("a"), away)));
    REQUIRE(w.wait([&] { return !seen.has("a"); }));
    CHECK(seen.told == strings{"+a", "a", "-a"});
}
