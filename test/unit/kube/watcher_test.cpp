#include "catch.hpp"
#include "harness.hpp"
#include "objects.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/watcher.hpp>

#include <algorithm>
#include <set>
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

// Writes down what it is told.
struct diary final : watch_target
{
    names lines;
    std::string refuses;  ///< the name of an object that it cannot take

    void on_list_begin() override { lines.emplace_back("begin"); }
    result<void> on_item(json::object&& item, std::string_view) override { return take("item", item); }
    void on_listed() override { lines.emplace_back("listed"); }
    result<void> on_upsert(json::object&& object, std::string_view) override
    {
        return take("upsert", object);
    }
    void on_removal(const object_key& key) override { lines.push_back("removal " + key.to_string()); }
    void on_missing() override { lines.emplace_back("missing"); }
    void on_found_again() override { lines.emplace_back("found"); }

    result<void> take(const std::string& how, const json::object& object)
    {
        const std::string name = string_at(object, "metadata.name");
        if (name == refuses)
            return fail(errc::invalid, "{} is not to my taste", name);
        lines.push_back(how + " " + name);
        return {};
    }
};

struct fixture : surroundings
{
    explicit fixture(watch_options timing = {}, log_level level = log_level::error)
        : watching(server, widgets, {}, target, timing, time, logger(level, log_format::text), numbers)
    {}
    ~fixture() { stop(); }

    scripted_api server;
    diary target;
    watcher watching;
    names failures;
    task_group tasks{
        context.get_executor(),
        logger(log_level::error, log_format::text),
        [this](const std::string&, const std::string& what) { failures.push_back(what); }};

    void start()
    {
        tasks.spawn("watcher", watching.run());
        settle(context);
    }
    void stop()
    {
        inside(context, [this] { tasks.cancel(); });
        run(context, tasks.join());
        CHECK(failures.empty());
    }

    // Waits as long as the watcher does, and says for how long.
    std::chrono::milliseconds sit_out()
    {
        const auto next = time.next_expiry();
        if (next == timekeeper::time_point::max())
            return -1ms;
        const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(next - time.now());
        pass(delay);
        return delay;
    }

    std::string lists() const { return value_of("portitor_watch_lists_total{kind=\"Widget\"}"); }
    std::string failed() const { return value_of("portitor_watch_failures_total{kind=\"Widget\"}"); }
    std::string connected() const { return value_of("portitor_watch_connected{kind=\"Widget\"}"); }
};

std::vector<json::object> one(const std::string& name)
{
    std::vector<json::object> out;
    out.push_back(raw_object(name, "1"));
    return out;
}

api_error refusal(unsigned status, std::string reason = "", std::chrono::seconds after = 0s)
{
    return {status, std::move(reason), "the server said " + std::to_string(status), after};
}

const error broken = fail(errc::unavailable, "the connection broke");

}  // namespace

TEST_CASE("a target is told of pages, then of events, in their order", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10", "more");
    f.server.on_list(one("b"), "10");
    f.server.on_watch(
        {event_line("ADDED", "c", "11") + event_line("MODIFIED", "c", "12"),
         event_line("DELETED", "a", "13") + bookmark_line("20") + event_line("TRANSMOGRIFIED", "c", "21")},
        false
    );
    f.start();
    CHECK(
        f.target.lines ==
        names{"begin", "item a", "item b", "listed", "upsert c", "upsert c", "removal default/a"}
    );
    CHECK(f.server.calls == names{"list  ", "list  more", "watch 10"});
    CHECK(f.lists() == "1");
    CHECK(f.failed() == "0");
    CHECK(f.connected() == "1");
}

TEST_CASE("whatever fails a list, the next one begins anew", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10", "more");
    f.server.on_list(api_error(broken), one("b"));
    f.server.on_list(one("a"), "11", "more");
    f.server.on_list(refusal(410, "Expired"), one("b"));
    f.server.on_list(one("c"), "12");
    f.start();
    const auto delay = f.sit_out();
    CHECK(delay >= 400ms);
    CHECK(delay <= 800ms);
    // 410 on a later page is nobody's fault: at once.
    CHECK(
        f.target.lines ==
        names{"begin", "item a", "item b", "begin", "item a", "item b", "begin", "item c", "listed"}
    );
    CHECK(f.server.calls == names{"list  ", "list  more", "list  ", "list  more", "list  ", "watch 12"});
    CHECK(f.lists() == "3");
    CHECK(f.failed() == "2");
}

TEST_CASE("a kind that may be absent has no objects until the server knows it", "[kube][watcher]")
{
    watch_options options;
    options.when_absent = watch_options::absence::fine;
    fixture f(options);
    f.server.on_list(refusal(404, "NotFound"));
    f.server.on_list(one("a"), "10", "more");
    f.server.on_list(refusal(404, "NotFound"), one("b"));
    f.server.on_list(refusal(403, "Forbidden"));
    f.server.on_list(one("c"), "12");
    f.start();
    CHECK(f.target.lines == names{"begin", "begin", "listed"});
    CHECK(f.watching.disconnected_for() == 0s);
    // It was there, and went while it was being listed: what had come counts for nothing.
    f.sit_out();
    CHECK(
        f.target.lines == names{"begin", "begin", "listed", "begin", "item a", "item b", "begin", "listed"}
    );
    // Not to be allowed to look is another matter.
    f.target.lines.clear();
    f.sit_out();
    CHECK(f.target.lines == names{"begin", "missing"});
    CHECK(
        f.watching.missing() == "widgets.test.example: this account may not list or watch them; see its "
                                "ClusterRole and its binding"
    );
    CHECK(f.failed() == "1");
    f.sit_out();
    CHECK(f.target.lines == names{"begin", "missing", "begin", "item c", "listed", "found"});
    CHECK_FALSE(f.watching.missing());
    CHECK(f.server.calls.back() == "watch 12");
}

TEST_CASE("the objects of a kind that goes away go with it, once that is certain", "[kube][watcher]")
{
    watch_options options;
    options.when_absent = watch_options::absence::emptied;
    fixture f(options);
    f.server.on_list(one("a"), "10");
    f.server.on_watch(refusal(404, "NotFound"));
    f.server.on_list(refusal(404, "NotFound"));
    f.server.on_list(refusal(404, "NotFound"));
    // A server that is away says nothing about what it knows.
    f.server.on_list(api_error(broken));
    for (int i = 0; i < 4; ++i)
        f.server.on_list(refusal(404, "NotFound"));
    f.server.on_list(one("b"), "20");
    f.start();
    CHECK(f.target.lines == names{"begin", "item a", "listed", "missing"});
    CHECK(
        f.watching.missing() == "widgets.test.example (test.example/v1): the API server does not know this "
                                "kind; see that its CRD is installed"
    );
    f.target.lines.clear();
    for (int i = 0; i < 5; ++i)
        f.sit_out();
    CHECK(std::count(f.target.lines.begin(), f.target.lines.end(), "listed") == 0);
    f.sit_out();
    CHECK(std::count(f.target.lines.begin(), f.target.lines.end(), "listed") == 1);
    CHECK(f.watching.missing());
    f.sit_out();
    f.target.lines.clear();
    f.sit_out();
    CHECK(f.target.lines == names{"begin", "item b", "listed", "found"});
    CHECK_FALSE(f.watching.missing());
}

TEST_CASE("a kind that must be there is not listed before it is", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(refusal(404, "NotFound"));
    f.start();
    CHECK(f.target.lines == names{"begin", "missing"});
    CHECK(f.failed() == "1");
}

TEST_CASE("a watch is asked to end within the range, and given up a little later", "[kube][watcher]")
{
    watch_options timing;
    timing.shortest = 20s;
    timing.longest = 23s;
    timing.grace = 7s;
    fixture f(timing);
    f.server.on_list(one("a"), "10");
    for (int i = 0; i < 200; ++i)
        f.server.on_watch({bookmark_line("11")}, true);
    f.start();
    REQUIRE(f.server.watch_timeouts.size() == 201);
    for (std::size_t i = 0; i < 200; ++i)
    {
        CHECK(f.server.watch_timeouts[i] >= 20s);
        CHECK(f.server.watch_timeouts[i] <= 23s);
        CHECK(f.server.idles.at(2 * i) == f.server.watch_timeouts[i] + 7s);
        CHECK(f.server.idles.at(2 * i + 1) == f.server.watch_timeouts[i] + 7s);
    }
    const std::set<std::chrono::seconds> drawn(
        f.server.watch_timeouts.begin(), f.server.watch_timeouts.end()
    );
    CHECK(drawn.size() == 4);
}

TEST_CASE("by itself a watch ends before a load balancer would end it", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({}, false);
    f.start();
    REQUIRE(f.server.watch_timeouts.size() == 1);
    CHECK(f.server.watch_timeouts[0] >= 180s);
    CHECK(f.server.watch_timeouts[0] <= 230s);
    CHECK(f.server.idles.at(0) == f.server.watch_timeouts[0] + 5s);
}

TEST_CASE("a watch that falls silent is opened again where it was", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({event_line("ADDED", "b", "11"), fail(errc::timed_out, "nothing for 200 s")}, false);
    f.server.on_watch({}, false);
    f.start();
    CHECK(f.failed() == "1");
    CHECK(f.connected() == "0");
    CHECK(f.sit_out() > 0ms);
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 11"});
    CHECK(f.connected() == "1");
    CHECK(f.lists() == "1");
}

TEST_CASE("an orderly end is followed by the next watch at once", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({event_line("ADDED", "b", "11")}, true);
    f.server.on_watch({}, true);
    f.start();
    // The second one brought nothing and ended at once.
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 11"});
    // That is nobody's fault, but a disconnection.
    CHECK(f.watching.disconnected_for() == 0s);
    CHECK(f.connected() == "0");
    CHECK(f.sit_out() >= 400ms);
    CHECK(f.server.calls.size() == 4);
    CHECK(f.server.calls.back() == "watch 11");
    CHECK(f.failed() == "0");
}

TEST_CASE("an ERROR event ends the watch for the reason that it gives", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    SECTION("too old: a list, at once")
    {
        f.server.on_watch({event_line("ADDED", "b", "11") + error_line(410, "Expired", "too old")}, false);
        f.server.on_list(one("c"), "50");
        f.start();
        CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "watch 50"});
        CHECK(f.target.lines == names{"begin", "item a", "listed", "upsert b", "begin", "item c", "listed"});
    }
    SECTION("too new, by its cause")
    {
        f.server.on_watch(
            {R"({"type":"ERROR","object":{"code":504,"reason":"Timeout","details":{"causes":[)"
             R"({"reason":"ResourceVersionTooLarge"}]}}})"},
            false
        );
        f.server.on_list(one("c"), "5");
        f.start();
        CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "watch 5"});
    }
    SECTION("trouble: the same watch, later")
    {
        f.server.on_watch({error_line(500, "InternalError", "etcd is away")}, false);
        f.start();
        CHECK(f.server.calls.size() == 2);
        CHECK(f.sit_out() >= 400ms);
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    }
    SECTION("too many: as late as it says")
    {
        f.server.on_watch(
            {R"({"type":"ERROR","object":{"code":429,"reason":"TooManyRequests","details":{"retryAfterSeconds":17}}})"},
            false
        );
        f.start();
        CHECK(f.sit_out() == 17s);
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    }
    SECTION("no reason at all")
    {
        f.server.on_watch({R"({"type":"ERROR","object":{}})" + event_line("ADDED", "x", "99")}, false);
        f.start();
        CHECK(f.sit_out() >= 400ms);
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    }
    CHECK(f.failed() == "1");
}

TEST_CASE("a watch that is refused is asked for again, or the kind listed", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    SECTION("429")
    {
        f.server.on_watch(refusal(429, "TooManyRequests", 3s));
        f.start();
        CHECK(f.sit_out() == 3s);
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    }
    SECTION("the server is away")
    {
        f.server.on_watch(api_error(broken));
        f.start();
        f.sit_out();
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    }
    SECTION("410")
    {
        f.server.on_watch(refusal(410, "Expired"));
        f.start();
        CHECK(f.server.calls == names{"list  ", "watch 10", "list  "});
    }
    SECTION("404")
    {
        f.server.on_watch(refusal(404, "NotFound"));
        f.start();
        CHECK(f.server.calls.size() == 2);
        f.sit_out();
        CHECK(f.server.calls == names{"list  ", "watch 10", "list  "});
    }
    CHECK(f.failed() == "1");
}

TEST_CASE("a text that is no event ends the watch, which goes on where it was", "[kube][watcher]")
{
    for (const char* text : {"<html>", "{}\n", "[]", R"({"type":"ADDED"})", R"({"type":"ADDED","object":7})"})
    {
        CAPTURE(text);
        fixture f;
        f.server.on_list(one("a"), "10");
        f.server.on_watch({event_line("ADDED", "b", "11") + text, event_line("ADDED", "x", "99")}, false);
        f.start();
        CHECK(f.failed() == "1");
        f.sit_out();
        CHECK(f.server.calls == names{"list  ", "watch 10", "watch 11"});
        CHECK(f.target.lines.back() == "upsert b");
    }
}

TEST_CASE("what the target cannot take ends a list or a watch, with its reason in the log", "[kube][watcher]")
{
    fixture f({}, log_level::warn);
    const captured_stderr log;
    f.target.refuses = "b";
    SECTION("an item")
    {
        f.server.on_list(one("b"), "10");
        f.server.on_list(one("a"), "11");
        f.start();
        f.sit_out();
        CHECK(f.target.lines == names{"begin", "begin", "item a", "listed"});
    }
    SECTION("an event")
    {
        f.server.on_list(one("a"), "10");
        f.server.on_watch({event_line("ADDED", "b", "11")}, false);
        f.start();
        f.sit_out();
        // The event is gone, but not what it was about.
        CHECK(f.server.calls == names{"list  ", "watch 10", "list  "});
    }
    CHECK(log.count("b is not to my taste") == 1);
}

TEST_CASE("an outage is one line, and its end another one", "[kube][watcher]")
{
    fixture f({}, log_level::info);
    const captured_stderr log;
    f.server.on_list(one("a"), "10");
    for (int i = 0; i < 20; ++i)
        f.server.on_watch(api_error(broken));
    f.server.on_watch({}, false);
    f.start();
    for (int i = 0; i < 20; ++i)
    {
        CHECK(log.count("the watch is back") == 0);
        f.sit_out();
    }
    CHECK(log.count("the watch is interrupted") == 1);
    CHECK(log.count("the connection broke") == 1);
    CHECK(log.count("kind=Widget") == 2);
    CHECK(log.count("the watch is back") == 1);
    CHECK(f.failed() == "20");
}

TEST_CASE("a kind that is not installed is one line, whatever time it takes", "[kube][watcher]")
{
    fixture f({}, log_level::info);
    const captured_stderr log;
    for (int i = 0; i < 20; ++i)
        f.server.on_list(refusal(404, "NotFound"));
    f.server.on_list(one("a"), "10");
    f.start();
    for (int i = 0; i < 20; ++i)
        CHECK(f.sit_out() <= 30s);
    CHECK(log.count("the server said 404") == 1);
    CHECK(log.count("the watch is back") == 1);
    CHECK(f.target.lines.back() == "found");
}

TEST_CASE("another trouble is another line, and an old version is none", "[kube][watcher]")
{
    fixture f({}, log_level::info);
    const captured_stderr log;
    f.server.on_list(refusal(404));
    f.server.on_list(refusal(403));
    f.server.on_list(refusal(403));
    f.server.on_list(one("a"), "10");
    f.server.on_watch({error_line(410, "Expired", "too old")}, false);
    f.start();
    for (int i = 0; i < 3; ++i)
        f.sit_out();
    CHECK(log.count("the server said 404") == 1);
    CHECK(log.count("the server said 403") == 1);
    CHECK(log.count("too old") == 0);
    CHECK(log.count("the watch is back") == 1);
}

TEST_CASE("it is known for how long the target may have been out of date", "[kube][watcher]")
{
    fixture f;
    CHECK_FALSE(f.watching.disconnected_for().has_value());
    f.server.on_list(refusal(500));
    f.server.on_list(one("a"), "10");
    f.server.on_watch(api_error(broken));
    f.server.on_watch({event_line("ADDED", "b", "11"), broken}, false);
    f.server.on_watch(api_error(broken));
    f.server.on_watch({}, false);
    f.start();
    // Never seen yet.
    CHECK(f.watching.disconnected_for() == 0s);
    f.pass(100ms);
    f.time.advance(200s);
    CHECK(f.watching.disconnected_for() == 200s);
    settle(f.context);
    // Listed now, but not connected.
    CHECK(f.watching.disconnected_for() == 0s);
    f.time.advance(100s);
    CHECK(f.watching.disconnected_for() == 100s);
    settle(f.context);
    // Connected, and lost again.
    CHECK(f.watching.disconnected_for() == 0s);
    f.time.advance(70s);
    settle(f.context);
    CHECK(f.watching.disconnected_for() == 70s);
    f.time.advance(30s);
    CHECK(f.watching.disconnected_for() == 100s);
    settle(f.context);
    // Connected.
    CHECK_FALSE(f.watching.disconnected_for().has_value());
    f.pass(1h);
    CHECK_FALSE(f.watching.disconnected_for().has_value());
}

TEST_CASE("pages that fail again and again are no news of the kind", "[kube][watcher]")
{
    fixture f;
    for (int i = 0; i < 10; ++i)
    {
        f.server.on_list(one("a"), "10", "more");
        f.server.on_list(refusal(500));
    }
    f.start();
    std::chrono::milliseconds total{};
    for (int i = 0; i < 9; ++i)
        total += f.sit_out();
    CHECK(f.watching.disconnected_for() == std::chrono::duration_cast<std::chrono::seconds>(total));
}

TEST_CASE("a canceled watcher ends wherever it is", "[kube][watcher]")
{
    fixture f;
    SECTION("in a list") {}
    SECTION("in a back-off")
    {
        f.server.on_list(refusal(500));
    }
    SECTION("while a watch is being opened")
    {
        f.server.on_list(one("a"), "10");
    }
    SECTION("in a watch")
    {
        f.server.on_list(one("a"), "10");
        f.server.on_watch({}, false);
    }
    f.start();
    CHECK(f.tasks.size() == 1);
    f.stop();
    CHECK(f.tasks.size() == 0);
}

TEST_CASE("a watch that breaks at one place again and again is led past it by a list", "[kube][watcher]")
{
    const std::string bad = "{\"type\":\"MODIFIED\",\"object\":7}\n";
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({bad}, false);
    f.server.on_watch({bad}, false);
    f.server.on_list(one("b"), "20");
    f.server.on_watch({}, false);
    f.start();
    f.sit_out();
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10"});
    f.sit_out();
    CHECK(f.server.calls == names{"list  ", "watch 10", "watch 10", "list  ", "watch 20"});
    CHECK(f.target.lines.back() == "listed");
}

TEST_CASE("a watch that opens and breaks at the same event does not count as up to date", "[kube][watcher]")
{
    const std::string bad = error_line(500, "InternalError", "the event cannot be encoded");
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({bad}, false);
    f.server.on_watch({bad}, false);
    // Nor can anything be listed.
    for (int i = 0; i < 40; ++i)
        f.server.on_list(api_error(broken));
    f.start();
    const auto began = f.time.now();
    for (int i = 0; i < 30; ++i)
        f.sit_out();
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(f.time.now() - began);
    CHECK(passed > 300s);
    CHECK(f.watching.disconnected_for() == passed);
}

TEST_CASE("a deletion whose name cannot be read is found by a list", "[kube][watcher]")
{
    fixture f;
    f.server.on_list(one("a"), "10");
    f.server.on_watch({event_line("DELETED", "", "11")}, false);
    f.server.on_list({}, "12");
    f.server.on_watch({}, false);
    f.start();
    f.sit_out();
    CHECK(f.server.calls == names{"list  ", "watch 10", "list  ", "watch 12"});
}
