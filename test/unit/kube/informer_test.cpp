#include "catch.hpp"
#include "harness.hpp"
#include "objects.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/informer.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};

using names = std::vector<std::string>;

struct fixture : surroundings
{
    scripted_api server;
    informer<object> watching{around(server), widgets, {}, parse_object};
    std::vector<std::string> failures;
    task_group tasks{
        context.get_executor(),
        logger(log_level::error, log_format::text),
        [this](const std::string&, const std::string& what) { failures.push_back(what); }};
    names seen;

    fixture()
    {
        watching.on_change([this](const change<object>& each) { note(each); });
    }

    ~fixture()
    {
        inside(context, [this] { tasks.cancel(); });
        run(context, tasks.join());
        CHECK(failures.empty());
    }

    // "+a@1" for an addition, "-a" for a removal, "a@2" for a change. The store must have it already, unless
    // it was followed by another change of the same key.
    void note(const change<object>& each)
    {
        if (each.after)
            CHECK(watching.objects().find(each.key()) == each.after);
        if (!each.after)
            seen.push_back("-" + each.key().name);
        else
            seen.push_back(
                (each.before ? "" : "+") + each.key().name + "@" + each.after->meta.resource_version
            );
    }

    // Until the script is at its end; waits for its back-offs.
    void run_all()
    {
        if (tasks.size() == 0)
            tasks.spawn("informer", watching.run());
        settle(context);
        for (int i = 0; i < 5; ++i)
            pass(30s);
    }
};

std::vector<json::object> items(std::initializer_list<json::object> all)
{
    return all;
}

}  // namespace

TEST_CASE("an informer lists all pages, then watches, and tells everything once", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1"), raw_object("b", "2")}), "10", "more");
    f.server.on_list(items({raw_object("c", "3")}), "10");
    const std::string text = event_line("MODIFIED", "a", "11") + event_line("ADDED", "d", "12") +
                             bookmark_line("20") + event_line("DELETED", "b", "21");
    // Pieces that respect no line.
    f.server.on_watch({text.substr(0, 5), text.substr(5, 150), text.substr(155)}, false);
    f.run_all();
    CHECK(f.server.calls == names{"list  ", "list  more", "watch 10"});
    CHECK(f.seen == names{"+a@1", "+b@2", "+c@3", "a@11", "+d@12", "-b"});
    CHECK(f.watching.objects().size() == 3);
    CHECK_FALSE(f.watching.disconnected_for().has_value());
    CHECK(f.watching.kind().plural == "widgets");
}

TEST_CASE("an informer is synced after its whole first list, and when the handlers know", "[kube][informer]")
{
    fixture f;
    bool synced_within = false;
    f.watching.on_change([&](const change<object>&) { synced_within = synced_within || f.watching.synced(); }
    );
    f.server.on_list(items({raw_object("a", "1")}), "10", "more");
    bool told = false;
    const auto wait = [&]() -> asio::awaitable<void> {
        co_await f.watching.wait_synced();
        told = true;
        CHECK(f.seen.size() == 2);
    };
    f.tasks.spawn("wait", wait());
    f.tasks.spawn("informer", f.watching.run());
    settle(f.context);
    CHECK_FALSE(f.watching.synced());
    CHECK_FALSE(told);
    CHECK(f.seen.empty());
    CHECK(f.watching.objects().size() == 0);
    // Its second page.
    inside(f.context, [&] { f.tasks.cancel(); });
    run(f.context, f.tasks.join());
    f.server.on_list(items({raw_object("a", "1")}), "10", "more");
    f.server.on_list(items({raw_object("b", "2")}), "10");
    f.tasks.spawn("wait", wait());
    f.run_all();
    f.tasks.spawn("informer", f.watching.run());
    settle(f.context);
    CHECK(f.watching.synced());
    CHECK(told);
    CHECK_FALSE(synced_within);
    run(f.context, f.watching.wait_synced());
}

TEST_CASE("an empty list is a sync as well", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({}), "10");
    f.run_all();
    CHECK(f.watching.synced());
    CHECK(f.seen.empty());
}

TEST_CASE(
    "a first list that is cut short applies nothing, and the next one loses nothing", "[kube][informer]"
)
{
    fixture f;
    const api_error cut(fail(errc::unavailable, "the connection broke"));
    f.server.on_list(cut, items({raw_object("a", "1"), raw_object("gone", "2")}));
    f.server.on_list(items({raw_object("a", "1"), raw_object("gone", "2")}), "10", "more");
    f.server.on_list(cut, items({raw_object("b", "3")}));
    f.tasks.spawn("informer", f.watching.run());
    settle(f.context);
    f.pass(30s);
    f.pass(30s);
    CHECK_FALSE(f.watching.synced());
    CHECK(f.seen.empty());
    CHECK(f.watching.objects().size() == 0);
    inside(f.context, [&] { f.tasks.cancel(); });
    run(f.context, f.tasks.join());
    f.server.calls.clear();
    f.server.on_list(items({raw_object("b", "3"), raw_object("a", "1")}), "11");
    f.run_all();
    CHECK(f.server.calls == names{"list  ", "watch 11"});
    CHECK(f.watching.synced());
    CHECK(f.seen.size() == 2);
    CHECK_FALSE(f.watching.objects().find({"default", "gone"}));
}

TEST_CASE("a later list that is cut short leaves the store as it was", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1"), raw_object("b", "2")}), "10");
    f.server.on_watch({error_line(410, "Expired", "too old")}, false);
    f.server.on_list(api_error(410, "Expired", "the token is too old", 0s), items({raw_object("x", "90")}));
    f.server.on_list(items({raw_object("b", "2"), raw_object("c", "3")}), "50");
    f.run_all();
    CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "list  ", "watch 50"});
    CHECK(f.seen == names{"+a@1", "+b@2", "-a", "+c@3"});
    CHECK(f.watching.objects().size() == 2);
}

TEST_CASE("events about what is known already, or not any more, are told once", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "10")}), "10");
    f.server.on_watch(
        {event_line("MODIFIED", "a", "10") + event_line("DELETED", "x", "11") +
         event_line("MODIFIED", "a", "12") + event_line("MODIFIED", "a", "12")},
        false
    );
    f.run_all();
    CHECK(f.seen == names{"+a@10", "a@12"});
}

TEST_CASE("an object that was replaced by one of its name is gone and new", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1", "old")}), "10");
    f.server.on_watch(
        {event_line("MODIFIED", "a", "11", "new"), fail(errc::unavailable, "the connection broke")}, false
    );
    f.run_all();
    CHECK(f.seen == names{"+a@1", "-a", "+a@11"});
}

TEST_CASE("an error in the stream keeps what is known and recovers", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1")}), "10");
    f.server.on_watch(
        {event_line("ADDED", "b", "11"), fail(errc::unavailable, "the connection broke")}, false
    );
    f.server.on_watch({event_line("MODIFIED", "b", "12")}, false);
    f.tasks.spawn("informer", f.watching.run());
    settle(f.context);
    CHECK(f.watching.objects().size() == 2);
    CHECK(f.watching.synced());
    CHECK(f.watching.disconnected_for() == 0s);
    f.pass(300ms);
    CHECK(f.server.calls.size() == 2);
    f.pass(500ms);
    CHECK(f.server.calls.back() == "watch 11");
    CHECK(f.seen == names{"+a@1", "+b@11", "b@12"});
    CHECK_FALSE(f.watching.disconnected_for().has_value());
}

TEST_CASE("garbage ends the watch, and the next one goes on", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({}), "10");
    f.server.on_watch({event_line("ADDED", "a", "11") + "<html>\n" + event_line("ADDED", "x", "99")}, false);
    f.server.on_watch({event_line("ADDED", "b", "12")}, false);
    f.run_all();
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 11"});
    CHECK(f.seen == names{"+a@11", "+b@12"});
}

TEST_CASE("410 lists anew, and tells only what differs from what is known", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1"), raw_object("b", "2"), raw_object("c", "3", "old")}), "10");
    f.server.on_watch({error_line(410, "Expired", "too old resource version")}, false);
    f.server.on_list(
        items({raw_object("a", "1"), raw_object("b", "40"), raw_object("c", "41", "new")}), "50"
    );
    f.server.on_watch({}, false);
    f.tasks.spawn("informer", f.watching.run());
    settle(f.context);
    CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "watch 50"});
    CHECK(f.seen == names{"+a@1", "+b@2", "+c@3", "b@40", "-c", "+c@41"});
}

TEST_CASE("every handler hears every change", "[kube][informer]")
{
    fixture f;
    int others = 0;
    f.watching.on_change([&](const change<object>&) { ++others; });
    f.server.on_list(items({raw_object("a", "1"), raw_object("b", "2")}), "10");
    f.server.on_watch({event_line("DELETED", "a", "11")}, false);
    f.run_all();
    CHECK(f.seen.size() == 3);
    CHECK(others == 3);
}

TEST_CASE("an item that cannot be read is left out, alone", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1"), raw_object("", "2"), raw_object("b", "3")}), "10");
    f.run_all();
    CHECK(f.watching.synced());
    CHECK(f.seen == names{"+a@1", "+b@3"});
    CHECK(f.server.calls == names{"list  ", "watch 10"});
    CHECK(f.value_of("portitor_watch_unreadable_objects{kind=\"Widget\"}") == "1");
}

TEST_CASE("the watch goes on past an object that cannot be read", "[kube][informer]")
{
    fixture f;
    f.server.on_list(items({raw_object("a", "1")}), "10");
    f.server.on_watch({event_line("ADDED", "", "11") + event_line("ADDED", "b", "12")}, false);
    f.run_all();
    CHECK(f.server.calls == names{"list  ", "watch 10"});
    CHECK(f.seen == names{"+a@1", "+b@12"});
}

namespace {

// What a program needs of a widget.
struct widget
{
    object_identity meta;
    std::string colour;
};

result<std::shared_ptr<const widget>> read_widget(json::object&& raw)
{
    auto meta = parse_meta(raw);
    if (!meta)
        return meta.error();
    if (string_at(raw, "colour") == "none")
        return fail(errc::invalid, "a widget without a colour");
    auto out = std::make_shared<widget>();
    out->meta = std::move(*meta);
    out->colour = string_at(raw, "colour");
    return std::shared_ptr<const widget>(std::move(out));
}

json::object coloured(const std::string& name, const std::string& version, const std::string& colour)
{
    json::object out = raw_object(name, version);
    out["colour"] = colour;
    return out;
}

}  // namespace

TEST_CASE("an informer keeps what its decoder makes, and finds it by an index", "[kube][informer]")
{
    surroundings f;
    scripted_api server;
    informer<widget> watching(f.around(server), widgets, {}, read_widget);
    const auto& by_colour =
        watching.add_index([](const widget& of) { return std::vector<std::string>(1, of.colour); });
    server.on_list(items({coloured("a", "1", "red"), coloured("b", "2", "blue")}), "10");
    const std::string blue_a =
        R"({"type":"MODIFIED","object":{"metadata":{"namespace":"default","name":"a","uid":"uid-a",)"
        R"("resourceVersion":"11"},"colour":"blue"}})";
    server.on_watch({blue_a, event_line("DELETED", "b", "12")}, false);
    task_group tasks(f.context.get_executor(), logger(log_level::error, log_format::text));
    tasks.spawn("informer", watching.run());
    settle(f.context);
    CHECK(watching.objects().find({"default", "a"})->colour == "blue");
    CHECK(by_colour.find("red").empty());
    CHECK(by_colour.find("blue") == std::set<object_key>{{"default", "a"}});
    inside(f.context, [&] { tasks.cancel(); });
    run(f.context, tasks.join());
}

namespace {

// A store of widgets, and all that is said about it: "+red" for a new one, "red>blue" for a change, "-blue".
struct coloured_world : surroundings
{
    scripted_api server;
    std::unique_ptr<informer<widget>> watching;
    names seen;
    int handler_throws = 0;  ///< so often
    int heard_by_another = 0;
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::text)};

    void
    start(decoder<widget> decode, stand_in_maker<widget> stand_in = {}, log_level level = log_level::error)
    {
        watching = std::make_unique<informer<widget>>(
            around(server, level),
            widgets,
            selection(),
            std::move(decode),
            watch_options(),
            std::move(stand_in)
        );
        watching->on_change([this](const change<widget>& of) {
            if (handler_throws > 0)
            {
                --handler_throws;
                throw std::runtime_error("no room for it");
            }
            seen.push_back(
                (of.before ? of.before->colour : "+") + (of.before && of.after ? ">" : "") +
                (of.after ? of.after->colour : "-")
            );
        });
        watching->on_change([this](const change<widget>&) { ++heard_by_another; });
        tasks.spawn("informer", watching->run());
        settle(context);
    }

    ~coloured_world()
    {
        inside(context, [this] { tasks.cancel(); });
        run(context, tasks.join());
    }

    std::string unreadable() const { return value_of("portitor_watch_unreadable_objects{kind=\"Widget\"}"); }
    std::string failures() const
    {
        return value_of("portitor_watch_handler_failures_total{kind=\"Widget\"}");
    }
};

std::string coloured_event(
    const std::string& type, const std::string& name, const std::string& version, const std::string& colour
)
{
    return "{\"type\":\"" + type + "\",\"object\":" + json::serialize(coloured(name, version, colour)) +
           "}\n";
}

std::shared_ptr<const widget> grey(const object_identity& which, json::object&&, const std::string& why)
{
    return std::make_shared<widget>(widget{which, "grey, because of " + why});
}

}  // namespace

TEST_CASE("what a decoder refuses is left out, and told once however often it comes", "[kube][informer]")
{
    coloured_world f;
    const captured_stderr log;
    for (const char* version : {"10", "20", "30"})
    {
        f.server.on_list(items({coloured("a", "1", "red"), coloured("b", version, "none")}), version);
        f.server.on_watch({error_line(410, "Expired", "too old")}, false);
    }
    f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "2", "blue")}), "40");
    f.start(read_widget, {}, log_level::warn);
    CHECK(f.watching->synced());
    CHECK(f.unreadable() == "1");
    for (int i = 0; i < 4; ++i)
        f.pass(30s);
    CHECK(log.count("key=default/b") == 1);
    CHECK(log.count("a widget without a colour") == 1);
    CHECK(f.seen == names{"+red", "+blue"});
    CHECK(f.unreadable() == "0");
}

TEST_CASE("a thousand objects that cannot be read are some lines", "[kube][informer]")
{
    coloured_world f;
    const captured_stderr log;
    std::vector<json::object> many;
    for (int i = 0; i < 1000; ++i)
        many.push_back(coloured("bad" + std::to_string(i), "1", "none"));
    f.server.on_list(many, "10");
    f.start(read_widget, {}, log_level::warn);
    CHECK(f.unreadable() == "1000");
    CHECK(log.count("cannot be read") == 10);
}

TEST_CASE("what stands in for an object goes as it goes and comes as it comes", "[kube][informer]")
{
    coloured_world f;
    f.server.cuts["c"] = "more than 128 levels";
    f.server.on_list(items({coloured("a", "1", "red"), coloured("c", "2", "red")}), "10");
    f.server.on_watch(
        {coloured_event("MODIFIED", "a", "11", "none") + coloured_event("MODIFIED", "a", "12", "blue") +
         coloured_event("ADDED", "b", "13", "none") + coloured_event("DELETED", "b", "14", "none")},
        false
    );
    f.start(read_widget, grey);
    const std::string why = "grey, because of a widget without a colour";
    CHECK(
        f.seen ==
        names{
            "+red",
            "+grey, because of more than 128 levels",
            "red>" + why,
            why + ">blue",
            "+" + why,
            why + "-"}
    );
    CHECK(f.unreadable() == "1");
}

TEST_CASE(
    "without a stand-in an object that cannot be read any more is gone from the store", "[kube][informer]"
)
{
    coloured_world f;
    f.server.on_list(items({coloured("a", "1", "red")}), "10");
    f.server.on_watch({coloured_event("MODIFIED", "a", "11", "none")}, false);
    f.start(read_widget);
    CHECK(f.seen == names{"+red", "red-"});
    CHECK(f.watching->objects().size() == 0);
}

TEST_CASE("an exception of the moment costs a list, one that stays costs its object", "[kube][informer]")
{
    int throws = 0;
    const auto decode = [&](json::object&& raw) {
        if (string_at(raw, "colour") == "black" && throws-- > 0)
            throw std::bad_alloc();
        return read_widget(std::move(raw));
    };
    coloured_world f;
    SECTION("a list")
    {
        throws = 1;
        f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "1", "black")}), "10");
        f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "1", "black")}), "10");
        f.start(decode, grey);
        f.pass(30s);
        CHECK(f.seen == names{"+red", "+black"});
        CHECK(f.unreadable() == "0");
    }
    SECTION("a watch")
    {
        throws = 1;
        f.server.on_list(items({coloured("a", "1", "red")}), "10");
        f.server.on_watch({coloured_event("ADDED", "b", "11", "black")}, false);
        f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "11", "black")}), "12");
        f.start(decode, grey);
        f.pass(30s);
        CHECK(f.seen == names{"+red", "+black"});
    }
    SECTION("always, and many of them")
    {
        throws = 1000;
        std::vector<json::object> many{coloured("a", "1", "red")};
        for (int i = 0; i < 5; ++i)
            many.push_back(coloured("b" + std::to_string(i), "1", "black"));
        for (const char* version : {"10", "20", "30", "40"})
            f.server.on_list(many, version);
        f.start(decode, grey);
        for (int i = 0; i < 3; ++i)
            f.pass(30s);
        CHECK(f.server.calls == names{"list  ", "list  ", "list  ", "watch 30"});
        CHECK(f.watching->objects().size() == 6);
        CHECK(f.seen.at(0) == "+red");
        CHECK(f.seen.at(5) == "+grey, because of std::bad_alloc");
        CHECK(f.unreadable() == "5");
    }
}

TEST_CASE("an object takes the place of its stand-in also where its version is the same", "[kube][informer]")
{
    int throws = 3;
    const auto decode = [&](json::object&& raw) {
        if (throws-- > 0)
            throw std::bad_alloc();
        return read_widget(std::move(raw));
    };
    coloured_world f;
    for (int i = 0; i < 3; ++i)
        f.server.on_list(items({coloured("a", "1", "red")}), "10");
    f.server.on_watch({error_line(410, "Expired", "too old")}, false);
    f.server.on_list(items({coloured("a", "1", "red")}), "20");
    f.start(decode, grey);
    for (int i = 0; i < 4; ++i)
        f.pass(30s);
    CHECK(f.seen == names{"+grey, because of std::bad_alloc", "grey, because of std::bad_alloc>red"});
}

TEST_CASE("a handler that throws hears of the object again, of all that has become of it", "[kube][informer]")
{
    coloured_world f;
    f.handler_throws = 3;
    f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "2", "white")}), "10");
    f.server.on_watch(
        {coloured_event("MODIFIED", "a", "11", "blue"), coloured_event("DELETED", "b", "12", "white")}, false
    );
    f.start(read_widget);
    // a and b when they were new, and a once more; b has come and gone unheard.
    CHECK(f.failures() == "3");
    CHECK(f.seen.empty());
    CHECK(f.watching->synced());
    f.pass(1s);
    CHECK(f.seen == names{"+blue"});
    f.pass(200s);
    CHECK(f.seen.size() == 1);
    CHECK(f.heard_by_another == 4);
}

TEST_CASE("a handler that always throws is asked ever more seldom, and keeps nobody else", "[kube][informer]")
{
    coloured_world f;
    f.handler_throws = 1000000;
    f.server.on_list(items({coloured("a", "1", "red"), coloured("b", "1", "red")}), "10");
    f.start(read_widget);
    for (int i = 0; i < 600; ++i)
        f.pass(1s);
    const int asked = 1000000 - f.handler_throws;
    CHECK(asked >= 2 * 15);
    CHECK(asked <= 2 * 25);
    CHECK(f.heard_by_another == 2);
    f.handler_throws = 0;
    f.pass(60s);
    CHECK(f.seen == names{"+red", "+red"});
}

TEST_CASE("an index that throws loses one object, and none of another's", "[kube][informer]")
{
    surroundings f;
    scripted_api server;
    informer<widget> watching(f.around(server), widgets, {}, read_widget);
    const auto& by_colour = watching.add_index([](const widget& of) {
        if (of.colour == "black")
            throw std::runtime_error("too dark");
        return std::vector<std::string>(1, of.colour);
    });
    const auto& by_name =
        watching.add_index([](const widget& of) { return std::vector<std::string>(1, of.meta.name); });
    server.on_list(items({coloured("a", "1", "red"), coloured("b", "2", "black")}), "10");
    server.on_watch(
        {coloured_event("MODIFIED", "a", "11", "black"), coloured_event("MODIFIED", "b", "12", "red")}, false
    );
    task_group tasks(f.context.get_executor(), logger(log_level::error, log_format::text));
    tasks.spawn("informer", watching.run());
    settle(f.context);
    CHECK(by_colour.find("red") == std::set<object_key>{{"default", "b"}});
    CHECK(by_name.find("a") == std::set<object_key>{{"default", "a"}});
    CHECK(by_name.find("b") == std::set<object_key>{{"default", "b"}});
    CHECK(f.value_of("portitor_watch_handler_failures_total{kind=\"Widget\"}") == "3");
    inside(f.context, [&] { tasks.cancel(); });
    run(f.context, tasks.join());
}

TEST_CASE("a whole object that cannot be read is there, and says why", "[kube][informer]")
{
    surroundings f;
    scripted_api server;
    object_informer watching(f.around(server), widgets, {});
    json::object big = coloured("a", "1", "red");
    big["metadata"].as_object()["finalizers"] = json::array{"x/y"};
    server.cuts["a"] = "spec has more than 8388608 bytes";
    server.on_list(items({big, coloured("b", "2", "red")}), "10");
    task_group tasks(f.context.get_executor(), logger(log_level::error, log_format::text));
    tasks.spawn("informer", watching.run());
    settle(f.context);
    const object_ptr found = watching.objects().find({"default", "a"});
    REQUIRE(found);
    CHECK(found->unreadable == "spec has more than 8388608 bytes");
    CHECK(found->meta.has_finalizer("x/y"));
    CHECK(watching.objects().find({"default", "b"})->unreadable.empty());
    inside(f.context, [&] { tasks.cancel(); });
    run(f.context, tasks.join());
}
