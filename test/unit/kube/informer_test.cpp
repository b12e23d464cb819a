#include "catch.hpp"
#include "objects.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/informer.hpp>

#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};

struct fixture
{
    asio::io_context context;
    metrics numbers;
    scripted_api server;
    // The expected warnings are no news here.
    informer watching{
        context.get_executor(), server, widgets, {}, logger(log_level::error, log_format::text), numbers};
    std::vector<std::string> failures;
    task_group tasks{
        context.get_executor(),
        logger(log_level::error, log_format::text),
        [this](const std::string&, const std::string& what) { failures.push_back(what); }};
    std::vector<std::string> seen;

    fixture()
    {
        watching.on_change([this](const change& each) { note(each); });
    }

    ~fixture()
    {
        tasks.cancel();
        run(context, tasks.join());
        CHECK(failures.empty());
    }

    // "+a@1" for an addition, "-a" for a removal, "a@2" for a change. The store must have it already.
    void note(const change& each)
    {
        const object_ptr held = watching.objects().find(each.key);
        if (each.after)
            CHECK(held);
        if (!each.after)
            seen.push_back("-" + each.key.name);
        else
            seen.push_back(
                (each.before ? "" : "+") + each.key.name + "@" + each.after->meta.resource_version
            );
    }

    // Runs until the server's script is at its end: so many calls were made, and then silence.
    void run_calls(std::size_t count)
    {
        if (tasks.size() == 0)
            tasks.spawn("informer", watching.run());
        const auto limit = std::chrono::steady_clock::now() + 5s;
        context.restart();
        while (server.calls.size() < count && std::chrono::steady_clock::now() < limit)
            context.run_one_for(10ms);
        context.poll();
        CHECK(server.calls.size() == count);
    }

    std::string restarts()
    {
        const std::string text = numbers.expose();
        const std::string name = "portitor_watch_restarts_total{kind=\"Widget\"} ";
        const auto at = text.find(name) + name.size();
        return text.substr(at, text.find('\n', at) - at);
    }
};

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("an informer lists all pages, then watches, and tells everything once", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "1"), make_object("b", "2")}, "10", "more");
    f.server.on_list({make_object("c", "3")}, "10");
    const std::string text = event_line("MODIFIED", "a", "11") + "\n" + event_line("ADDED", "d", "12") +
                             "\n" + bookmark_line("20") + "\n" + event_line("DELETED", "b", "21") + "\n";
    // Pieces that respect no line.
    f.server.on_watch({text.substr(0, 5), text.substr(5, 150), text.substr(155)}, false);
    f.run_calls(3);
    CHECK(f.server.calls == names{"list  ", "list  more", "watch 10"});
    CHECK(f.seen == names{"+a@1", "+b@2", "+c@3", "a@11", "+d@12", "-b"});
    CHECK(f.watching.objects().size() == 3);
    CHECK_FALSE(f.watching.disconnected_for().has_value());
    CHECK(f.restarts() == "0");
}

TEST_CASE("an informer is synced after its whole first list, not before", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "1")}, "10", "more");
    f.run_calls(2);
    CHECK_FALSE(f.watching.synced());
    CHECK(f.seen.empty());
    CHECK(f.watching.disconnected_for().has_value());
}

TEST_CASE("waiting for the sync ends with it, and at once afterwards", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "1")}, "10");
    f.tasks.spawn("informer", f.watching.run());
    run(f.context, f.watching.wait_synced());
    CHECK(f.watching.synced());
    CHECK(f.seen == names{"+a@1"});
    run(f.context, f.watching.wait_synced());
}

TEST_CASE("a stream that is cut within a line goes on from the last whole event", "[kube][informer]")
{
    fixture f;
    f.server.on_list({}, "10");
    const std::string half = event_line("ADDED", "b", "12").substr(0, 40);
    f.server.on_watch({event_line("ADDED", "a", "11") + "\n" + half}, true);
    f.server.on_watch({event_line("ADDED", "b", "12") + "\n"}, false);
    f.run_calls(3);
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 11"});
    CHECK(f.seen == names{"+a@11", "+b@12"});
}

TEST_CASE("events that come again are told once", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "10")}, "10");
    f.server.on_watch(
        {event_line("MODIFIED", "a", "10") + "\n" + event_line("DELETED", "x", "11") + "\n" +
         event_line("MODIFIED", "a", "12") + "\n" + event_line("MODIFIED", "a", "12") + "\n"},
        false
    );
    f.run_calls(2);
    CHECK(f.seen == names{"+a@10", "a@12"});
}

TEST_CASE("an error in the stream keeps what is known and recovers", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "1")}, "10");
    f.server.on_watch(
        {event_line("ADDED", "b", "11") + "\n", fail(errc::unavailable, "the connection broke")}, false
    );
    f.server.on_watch({event_line("MODIFIED", "b", "12") + "\n"}, false);
    f.run_calls(2);
    CHECK(f.watching.objects().size() == 2);
    CHECK(f.watching.synced());
    CHECK(f.watching.disconnected_for().has_value());
    CHECK(f.restarts() == "1");
    f.run_calls(3);  // after its back-off
    CHECK(f.server.calls.back() == "watch 11");
    CHECK(f.seen == names{"+a@1", "+b@11", "b@12"});
    CHECK_FALSE(f.watching.disconnected_for().has_value());
}

TEST_CASE("a garbage line ends the watch, and the next one goes on", "[kube][informer]")
{
    fixture f;
    f.server.on_list({}, "10");
    f.server.on_watch(
        {event_line("ADDED", "a", "11") + "\n<html>\n" + event_line("ADDED", "x", "99") + "\n"}, false
    );
    f.server.on_watch({event_line("ADDED", "b", "12") + "\n"}, false);
    f.run_calls(3);
    CHECK(f.server.calls.back() == "watch 11");
    CHECK(f.seen == names{"+a@11", "+b@12"});
}

TEST_CASE("410 lists anew, and tells only what differs from what is known", "[kube][informer]")
{
    fixture f;
    f.server.on_list({make_object("a", "1"), make_object("b", "2"), make_object("c", "3", "old")}, "10");
    f.server.on_watch({error_line(410, "Expired", "too old resource version") + "\n"}, false);
    f.server.on_list({make_object("a", "1"), make_object("b", "40"), make_object("c", "41", "new")}, "50");
    f.server.on_watch({}, false);
    f.run_calls(4);
    CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "watch 50"});
    CHECK(f.seen == names{"+a@1", "+b@2", "+c@3", "b@40", "-c", "+c@41"});
    CHECK(f.restarts() == "0");  // that is no failure
}

TEST_CASE("a list that fails is taken again until it succeeds", "[kube][informer]")
{
    fixture f;
    f.server.on_list(api_error(403, "Forbidden", "no", 0s));
    f.server.on_list({make_object("a", "1")}, "10");
    f.run_calls(1);
    CHECK_FALSE(f.watching.synced());
    f.run_calls(3);
    CHECK(f.watching.synced());
    CHECK(f.seen == names{"+a@1"});
}

TEST_CASE("every handler hears every change", "[kube][informer]")
{
    fixture f;
    int others = 0;
    f.watching.on_change([&](const change&) { ++others; });
    f.server.on_list({make_object("a", "1"), make_object("b", "2")}, "10");
    f.server.on_watch({event_line("DELETED", "a", "11") + "\n"}, false);
    f.run_calls(2);
    CHECK(f.seen.size() == 3);
    CHECK(others == 3);
}
