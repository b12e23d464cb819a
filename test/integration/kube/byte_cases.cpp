// What only a server whose every byte the test decides can show.

#include "world.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

using strings = std::vector<std::string>;

bool is_list(const fake_request& of)
{
    return of.is_list();
}

bool is_watch(const fake_request& of)
{
    return of.is_watch();
}

bool is_follow_up(const fake_request& of)
{
    return of.is_list() && of.query.contains("continue");
}

fake_answer raw(std::string bytes, fake_answer::after then)
{
    fake_answer out;
    out.bytes = std::move(bytes);
    out.then = then;
    return out;
}

// An informer on the look-alike, and a few objects.
struct fixture
{
    world w;
    fake_server& server = w.fake();
    client mine{w};
    std::unique_ptr<watching> seen;

    explicit fixture(int objects = 3) { create_widgets(w, "w", objects); }

    void watch(kube::selection which = {})
    {
        // A long one: no end of a watch but those that the case makes.
        kube::watch_options timing{100s, 100s, 5s};
        seen = std::make_unique<watching>(w, mine, which, timing);
    }
    void watch_connected()
    {
        watch();
        REQUIRE(w.wait([&] { return seen->connected(); }));
    }
    bool gets(const std::string& name)
    {
        create_widget(w, name);
        return w.wait([&] { return seen->has(name); });
    }
    std::size_t watches() const { return server.count(is_watch); }
};

struct large_fixture : fixture
{
    large_fixture() : fixture(1100) {}
};

std::string document(const std::string& type, const json::object& of)
{
    return json::serialize(json::object{{"type", type}, {"object", of}});
}

}  // namespace

TEST_CASE_METHOD(fixture, "one byte at a time is as good as all at once", "[fake]")
{
    json::object umlauts = widget("umlauts");
    umlauts["spec"].as_object()["note"] = "Grüße, 世界 \xF0\x9F\x98\x80 \"\\\n{}[]";
    REQUIRE(w.run(w.other().api->create(widgets, umlauts, kube::request_class::normal)));
    server.shape.piece = 1;
    watch_connected();
    CHECK(seen->size() == 4);
    CHECK(seen->find("umlauts")->spec() == umlauts.at("spec").as_object());
    umlauts["spec"].as_object()["size"] = 2;
    kube::apply_options how;
    how.field_manager = "tester";
    REQUIRE(w.run(w.other().api->apply(widgets, umlauts, how)));
    REQUIRE(w.wait([&] { return seen->find("umlauts")->spec().at("size") == 2; }));
    CHECK(seen->find("umlauts")->spec() == umlauts.at("spec").as_object());
    CHECK(gets("new"));
    CHECK(seen->lists() == 1);
}

TEST_CASE_METHOD(fixture, "a list that is cut off counts for nothing, wherever it is cut", "[fake]")
{
    const std::string whole =
        R"({"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"1"},"items":[)"
        R"({"metadata":{"name":"ghost","namespace":"default","uid":"u"}},)"
        R"({"metadata":{"name":"ghost-2","namespace":"default","uid":"u2"}}]})";
    const std::string answer = whole_answer(200, whole).bytes;
    const std::size_t header = answer.size() - whole.size();
    const bool reset = GENERATE(true, false);
    // The last one leaves out no more than the closing bracket.
    const std::size_t at = std::min<std::size_t>(GENERATE(0, 10, 120, 200, 1000), whole.size());
    CAPTURE(reset, at);
    const auto then = reset ? fake_answer::after::reset : fake_answer::after::close;
    // A GET on a connection that broke is repeated once, so it takes two.
    server.answer(is_list, raw(answer.substr(0, at == 0 ? 0 : header + at - 1), then), 2);
    watch();
    REQUIRE(w.wait([&] { return seen->connected(); }));
    CHECK(seen->size() == 3);
    CHECK_FALSE(seen->has("ghost"));
    CHECK(seen->told.size() == 3);
}

TEST_CASE_METHOD(fixture, "an event that is cut off comes again whole, and only once", "[fake]")
{
    watch_connected();
    const std::size_t before = watches();
    server.break_watches(R"({"type":"ADDED","object":{"metadata":{"name":"half","namespace":"def)");
    REQUIRE(w.wait([&] { return watches() > before && seen->connected(); }));
    CHECK_FALSE(seen->has("half"));
    CHECK(gets("half"));
    CHECK(std::count(seen->told.begin(), seen->told.end(), "+half") == 1);
    CHECK(seen->lists() == 1);
}

TEST_CASE_METHOD(fixture, "a line of garbage means a new watch at the same place, without a list", "[fake]")
{
    watch_connected();
    for (const char* garbage :
         {"this is no JSON", "{\"type\":7}", "[]", "{\"type\":\"ADDED\",\"object\":null}"})
    {
        CAPTURE(garbage);
        const std::size_t before = watches();
        server.say(garbage);
        REQUIRE(w.wait([&] { return watches() > before && seen->connected(); }));
        // Where it came no further in between, a list would lead past it.
        CHECK(gets("after-" + std::to_string(before)));
    }
    CHECK(seen->size() == 7);
    CHECK(seen->lists() == 1);
    CHECK(seen->told.size() == 7);
}

TEST_CASE_METHOD(fixture, "garbage at one place again and again means a list", "[fake]")
{
    watch_connected();
    for (int i = 0; i < 2; ++i)
    {
        const std::size_t before = watches();
        server.say("{\"type\":\"MODIFIED\",\"object\":7}");
        REQUIRE(w.wait([&] { return watches() > before && seen->connected(); }));
    }
    CHECK(seen->lists() == 2);
    CHECK(gets("after"));
    CHECK(seen->size() == 4);
}

TEST_CASE_METHOD(fixture, "an event of a type that nobody knows is left out", "[fake]")
{
    watch_connected();
    server.say(document("TELEPORTED", widget("beam")));
    CHECK(gets("after"));
    CHECK_FALSE(seen->has("beam"));
    CHECK(watches() == 1);
}

TEST_CASE_METHOD(fixture, "a removal of what was never there is no removal", "[fake]")
{
    watch_connected();
    server.say(document("DELETED", widget("never")));
    CHECK(gets("after"));
    CHECK(seen->told == strings{"+w-0000", "+w-0001", "+w-0002", "+after"});
}

TEST_CASE_METHOD(fixture, "410 in the stream means a list at once", "[fake]")
{
    watch_connected();
    const auto said_at = w.time().now();
    server.say(document("ERROR", sandbox::refusal(410, "Expired", "too old resource version: 1 (2)").body));
    REQUIRE(w.wait([&] { return seen->lists() == 2 && seen->connected(); }));
    CHECK(w.time().now() - said_at < 500ms);
    // From scratch: the server may have been set back.
    CHECK(server.seen().back().is_watch());
    CHECK(gets("after"));
    CHECK(seen->told.size() == 4);
}

TEST_CASE_METHOD(fixture, "410 as the answer to a watch means the same", "[fake]")
{
    watch_connected();
    server.answer(is_watch, status_answer(410, "Expired"));
    server.end_watches();
    REQUIRE(w.wait([&] { return seen->lists() == 2 && seen->connected(); }));
    CHECK(gets("after"));
}

TEST_CASE_METHOD(fixture, "a server that always says 410 is not listed in a tight circle", "[fake]")
{
    server.answer(is_watch, status_answer(410, "Expired"), 1000000);
    watch();
    REQUIRE(w.wait([&] { return seen->informer.synced(); }));
    w.pass(60s);
    // At once the first time, then 0.8 s, doubling up to 30 s.
    CHECK(server.count(is_list) <= 12);
    CHECK(seen->size() == 3);
}

TEST_CASE_METHOD(fixture, "an error in the stream that is not 410 means no list", "[fake]")
{
    watch_connected();
    server.say(document("ERROR", sandbox::refusal(500, "InternalError", "etcdserver: leader changed").body));
    REQUIRE(w.wait([&] { return watches() == 2 && seen->connected(); }));
    CHECK(gets("after"));
    CHECK(seen->lists() == 1);
}

TEST_CASE_METHOD(fixture, "429 on a watch: the same watch again, when the server has said", "[fake]")
{
    watch_connected();
    server.answer(is_watch, status_answer(429, "TooManyRequests", "Retry-After: 7\r\n"));
    const auto ended_at = w.time().now();
    const std::size_t before = watches();
    server.end_watches();
    REQUIRE(w.wait([&] { return watches() == before + 2; }));
    CHECK(w.time().now() - ended_at >= 7s);
    CHECK(w.time().now() - ended_at < 9s);
    REQUIRE(w.wait([&] { return seen->connected(); }));
    CHECK(gets("after"));
    CHECK(seen->lists() == 1);
}

TEST_CASE_METHOD(fixture, "429 on a list: again when the server has said", "[fake]")
{
    server.answer(is_list, status_answer(429, "TooManyRequests", "Retry-After: 5\r\n"));
    const auto began_at = w.time().now();
    watch();
    REQUIRE(w.wait([&] { return seen->informer.synced(); }));
    CHECK(w.time().now() - began_at >= 5s);
    CHECK(w.time().now() - began_at < 8s);
}

TEST_CASE_METHOD(
    fixture, "a watch that ends at once, again and again, is not opened in a tight circle", "[fake]"
)
{
    const std::string empty =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    server.answer(is_watch, raw(empty, fake_answer::after::keep), 1000000);
    watch();
    REQUIRE(w.wait([&] { return seen->informer.synced(); }));
    w.pass(60s);
    CHECK(watches() <= 12);
    CHECK(seen->lists() == 1);
}

TEST_CASE_METHOD(large_fixture, "a page that has expired: from the first one, and no mixture", "[fake]")
{
    server.answer(is_follow_up, status_answer(410, "Expired"));
    watch();
    REQUIRE(w.wait([&] { return seen->informer.synced(); }));
    CHECK(seen->size() == 1100);
    CHECK(seen->told.size() == 1100);
    CHECK(seen->lists() == 2);
    // Follow-up pages name their token alone: the real server refuses a version beside it.
    CHECK(server.count([](const fake_request& of) {
        return is_follow_up(of) && of.query.contains("resourceVersion");
    }) == 0);
}

TEST_CASE_METHOD(large_fixture, "what changes between two pages comes by the watch", "[fake]")
{
    // The second page is late: something is deleted meanwhile, something made, and the token stays good.
    server.answer(is_follow_up, status_answer(503, "ServiceUnavailable", "Retry-After: 1\r\n"));
    watch();
    REQUIRE(w.wait([&] { return server.count(is_follow_up) == 1; }));
    remove_widget(w, "w-0000");
    remove_widget(w, "w-1099");
    create_widget(w, "w-9999");
    REQUIRE(w.wait([&] { return seen->informer.synced() && seen->has("w-9999") && !seen->has("w-1099"); }));
    CHECK_FALSE(seen->has("w-0000"));
    CHECK(seen->size() == 1099);
}

TEST_CASE_METHOD(fixture, "bookmarks keep a quiet watch from falling behind", "[fake]")
{
    kube::selection which;
    which.labels = "app=none";
    watch(which);
    REQUIRE(w.wait([&] { return seen->connected(); }));
    resize_widget(w, "w-0000", 50);
    const bool marked = GENERATE(true, false);
    CAPTURE(marked);
    w.pass(10ms);
    if (marked)
        server.bookmark();
    w.pass(10ms);
    // History up to here is gone; whoever was told how far it went needs none of it.
    const std::string now = std::to_string(server.storage.version());
    server.storage.compact();
    server.storage.turn_back(std::stoull(now));
    server.end_watches();
    REQUIRE(w.wait([&] { return watches() >= 2 && seen->connected(); }));
    CHECK(seen->lists() == (marked ? 1 : 2));
    CHECK(seen->told.empty());
}

TEST_CASE_METHOD(fixture, "versions from the future: a restored backup is listed anew", "[fake]")
{
    watch_connected();
    for (int i = 0; i < 5; ++i)
        resize_widget(w, "w-0000", 100 + i);
    REQUIRE(w.wait([&] { return seen->find("w-0000")->spec().at("size") == 104; }));
    server.storage.turn_back(server.storage.version() - 4);
    w.run(server.stop());
    w.run(server.start());
    REQUIRE(w.wait([&] { return seen->lists() == 2 && seen->connected(); }));
    CHECK(gets("after"));
    CHECK(server.count([](const fake_request& of) {
        return is_list(of) && of.query.contains("resourceVersion");
    }) == 0);
}

TEST_CASE_METHOD(fixture, "a proxy's page in HTML is a failure like others", "[fake]")
{
    const std::string html = "<html><body><h1>Sign in</h1></body></html>";
    server.answer(is_list, whole_answer(200, html, "", "text/html"));
    server.answer(is_list, whole_answer(502, html, "", "text/html"));
    watch();
    REQUIRE(w.wait([&] { return seen->connected(); }));
    CHECK(seen->failures() == 2);
    server.answer(is_watch, whole_answer(200, html, "", "text/html"));
    server.answer(is_watch, whole_answer(503, html, "", "text/html"));
    server.end_watches();
    REQUIRE(w.wait([&] { return watches() == 4 && seen->connected(); }));
    CHECK(gets("after"));
    CHECK(seen->lists() == 3);
    server.answer([](const fake_request& of) { return of.method == "PATCH"; }, whole_answer(200, html));
    kube::apply_options how;
    how.field_manager = "tester";
    const auto refused = w.run(mine.api->apply(widgets, widget("w-0000", 7), how));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::protocol);
    CHECK(refused.error().is_outcome_unknown());
}

TEST_CASE_METHOD(
    fixture, "401 once is asked again with a new token; 401 for good is told, not repeated", "[fake]"
)
{
    const auto is_get = [](const fake_request& of) {
        return of.method == "GET" && !of.query.contains("limit");
    };
    server.answer(is_get, status_answer(401, "Unauthorized"));
    CHECK(w.run(mine.api->get(widgets, widget_key("w-0000"))));
    CHECK(server.count(is_get) == 2);
    server.answer(is_get, status_answer(401, "Unauthorized"), 1000000);
    const auto refused = w.run(mine.api->get(widgets, widget_key("w-0000")));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::refused);
    CHECK(server.count(is_get) == 4);
}

TEST_CASE_METHOD(fixture, "a list that drips is given up, and the next one is taken", "[fake]")
{
    server.shape.piece = 16;
    server.shape.between = 4s;
    watch();
    REQUIRE(w.wait([&] { return seen->failures() == 1; }));
    CHECK(seen->size() == 0);
    server.shape = {};
    REQUIRE(w.wait([&] { return seen->connected(); }));
    CHECK(seen->size() == 3);
}

TEST_CASE_METHOD(fixture, "a watch may be as long as it likes: megabytes in all, and large events", "[fake]")
{
    watch_connected();
    json::object large = widget("large");
    kube::apply_options how;
    how.field_manager = "tester";
    for (int i = 0; i < 5; ++i)
    {
        large["spec"].as_object()["note"] = std::string(3 * 1024 * 1024, static_cast<char>('a' + i));
        REQUIRE(w.run(w.other().api->apply(widgets, large, how)));
    }
    REQUIRE(w.wait([&] {
        return seen->has("large") && seen->find("large")->spec().at("note").as_string()[0] == 'e';
    }));
    CHECK(watches() == 1);
    CHECK(seen->failures() == 0);
}

TEST_CASE_METHOD(fixture, "every watch asks for its end, and for bookmarks", "[fake]")
{
    kube::watch_options timing{10s, 40s, 5s};
    watching many(w, mine, {}, timing);
    w.pass(10min);
    std::set<std::string> ends;
    for (const fake_request& each : server.seen())
    {
        if (!each.is_watch())
            continue;
        CHECK(each.parameter("allowWatchBookmarks") == "true");
        const int seconds = std::stoi(each.parameter("timeoutSeconds"));
        CHECK((seconds >= 10 && seconds <= 40));
        ends.insert(each.parameter("timeoutSeconds"));
    }
    // Drawn, so that many watches do not end together.
    CHECK(ends.size() > 5);
    CHECK(many.lists() == 1);
}

TEST_CASE_METHOD(fixture, "a write whose answer never came is not sent again", "[fake]")
{
    const auto is_write = [](const fake_request& of) { return of.method == "POST" || of.method == "PATCH"; };
    const bool reset = GENERATE(true, false);
    const auto then = reset ? fake_answer::after::reset : fake_answer::after::close;
    const std::size_t before = server.count(is_write);
    server.answer(is_write, raw("", then));
    const auto unknown = w.run(mine.api->create(widgets, widget("maybe"), kube::request_class::normal));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().is_outcome_unknown());
    CHECK(server.count(is_write) == before + 1);
}

TEST_CASE_METHOD(fixture, "a read over a connection that broke is sent again", "[fake]")
{
    REQUIRE(w.run(mine.api->get(widgets, widget_key("w-0000"))));
    const auto is_get = [](const fake_request& of) { return of.method == "GET"; };
    server.answer(is_get, raw("", fake_answer::after::close));
    CHECK(w.run(mine.api->get(widgets, widget_key("w-0000"))));
}

TEST_CASE_METHOD(
    fixture, "who says when to come back is asked again, also with a write; ten times at most", "[fake]"
)
{
    const auto is_write = [](const fake_request& of) { return of.method == "PATCH"; };
    kube::apply_options how;
    how.field_manager = "tester";
    for (const unsigned code : {429U, 503U})
    {
        CAPTURE(code);
        server.answer(is_write, status_answer(code, "Busy", "Retry-After: 2\r\n"), 3);
        const auto began_at = w.time().now();
        CHECK(w.run(mine.api->apply(widgets, widget("w-0000", 5), how)));
        CHECK(w.time().now() - began_at >= 6s);
    }
    const std::size_t before = server.count(is_write);
    server.answer(is_write, status_answer(429, "Busy", "Retry-After: 2\r\n"), 10);
    CHECK_FALSE(w.run(mine.api->apply(widgets, widget("w-0000", 6), how)));
    CHECK(server.count(is_write) == before + 10);

    // Who does not say so is not.
    server.answer(is_write, status_answer(503, "ServiceUnavailable"));
    const auto refused = w.run(mine.api->apply(widgets, widget("w-0000", 6), how));
    REQUIRE_FALSE(refused);
    CHECK(server.count(is_write) == before + 11);
}

TEST_CASE_METHOD(fixture, "an interim answer is not the answer", "[fake]")
{
    json::object found = server.storage.get("test.example/v1/widgets", widget_key("w-0001")).body;
    const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    fake_answer both = raw(early + whole_answer(200, json::serialize(found)).bytes, fake_answer::after::keep);
    server.answer([](const fake_request& of) { return of.method == "GET"; }, std::move(both));
    const auto got = w.run(mine.api->get(widgets, widget_key("w-0001")));
    REQUIRE(got);
    CHECK((*got)->meta.name == "w-0001");
}

TEST_CASE_METHOD(fixture, "a watch that fails all the time does not hold up another one", "[fake]")
{
    const auto is_broken = [](const fake_request& of) {
        return of.is_watch() && of.query.contains("labelSelector");
    };
    server.answer(is_broken, status_answer(500, "InternalError"), 1000000);
    kube::selection which;
    which.labels = "app=none";
    client theirs(w);
    watching broken(w, theirs, which);
    watch_connected();
    REQUIRE(w.wait([&] { return broken.failures() >= 5; }));
    const auto made_at = w.time().now();
    CHECK(gets("new"));
    CHECK(w.time().now() - made_at < 1s);
    CHECK(seen->failures() == 0);
    CHECK(broken.lists() == 1);
}
