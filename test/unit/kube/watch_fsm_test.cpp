#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/watch_fsm.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;

namespace {

using action = watch_step::action;

api_error
refusal(unsigned status, std::string reason = "", std::string message = "", std::chrono::seconds after = 0s)
{
    return {status, std::move(reason), std::move(message), after};
}

object_page page_of(std::vector<object_ptr> items, std::string version, std::string more = "")
{
    object_page page;
    page.items = std::move(items);
    page.resource_version = std::move(version);
    page.continue_token = std::move(more);
    return page;
}

struct fixture
{
    watch_fsm fsm{backoff(800ms, 30s, 1)};
    watch_fsm::steady::time_point now = watch_fsm::steady::time_point() + 1h;

    // Lists one object at version 10 and opens the watch.
    void open_watch()
    {
        REQUIRE(fsm.on_page(page_of({make_object("a", "7")}, "10")));
        fsm.on_watch_opened(now);
    }

    void end_watch(std::chrono::milliseconds after)
    {
        now += after;
        fsm.on_watch_end(nullptr, now);
    }

    void fail_watch(const api_error& failure, std::chrono::milliseconds after = 0ms)
    {
        now += after;
        fsm.on_watch_end(&failure, now);
    }
};

void check_lists_anew(const watch_fsm& fsm, bool at_once)
{
    const watch_step step = fsm.next();
    CHECK(step.what == action::list);
    CHECK(step.resource_version.empty());
    CHECK(step.continue_token.empty());
    CHECK((step.delay == 0ms) == at_once);
}

void check_watches(const watch_fsm& fsm, const std::string& version, bool at_once)
{
    const watch_step step = fsm.next();
    CHECK(step.what == action::watch);
    CHECK(step.resource_version == version);
    CHECK((step.delay == 0ms) == at_once);
}

}  // namespace

TEST_CASE("a watcher lists first, and watches from the list's version", "[kube][watch]")
{
    fixture f;
    check_lists_anew(f.fsm, true);
    CHECK_FALSE(f.fsm.listed());
    const auto snapshot = f.fsm.on_page(page_of({make_object("a", "7"), make_object("b", "99")}, "10"));
    REQUIRE(snapshot);
    CHECK(snapshot->size() == 2);
    CHECK(f.fsm.listed());
    check_watches(f.fsm, "10", true);
}

TEST_CASE("pages are one snapshot", "[kube][watch]")
{
    fixture f;
    CHECK_FALSE(f.fsm.on_page(page_of({make_object("a", "1")}, "10", "token-1")));
    CHECK(f.fsm.next().what == action::list);
    CHECK(f.fsm.next().continue_token == "token-1");
    CHECK_FALSE(f.fsm.on_page(page_of({make_object("b", "2")}, "10", "token-2")));
    CHECK(f.fsm.next().continue_token == "token-2");
    const auto snapshot = f.fsm.on_page(page_of({make_object("c", "3")}, "10"));
    REQUIRE(snapshot);
    REQUIRE(snapshot->size() == 3);
    CHECK((*snapshot)[0]->meta.name == "a");
    CHECK((*snapshot)[2]->meta.name == "c");
    check_watches(f.fsm, "10", true);
}

TEST_CASE("410 on a later page starts from scratch, at once only the first time", "[kube][watch]")
{
    fixture f;
    f.fsm.on_page(page_of({make_object("a", "1")}, "10", "token-1"));
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, true);
    // The pages of the first attempt are not part of the second one.
    f.fsm.on_page(page_of({make_object("b", "1")}, "20", "token-2"));
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, false);
    const auto snapshot = f.fsm.on_page(page_of({make_object("c", "1")}, "30"));
    REQUIRE(snapshot);
    CHECK(snapshot->size() == 1);
    CHECK((*snapshot)[0]->meta.name == "c");
}

TEST_CASE("410 on the first page is retried with a delay", "[kube][watch]")
{
    fixture f;
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, false);
}

TEST_CASE("a list that fails is retried from its first page, ever later", "[kube][watch]")
{
    fixture f;
    f.fsm.on_page(page_of({make_object("a", "1")}, "10", "token-1"));
    std::chrono::milliseconds longest{};
    for (int i = 0; i < 8; ++i)
    {
        f.fsm.on_list_error(refusal(500));
        check_lists_anew(f.fsm, false);
        longest = std::max(longest, f.fsm.next().delay);
    }
    CHECK(longest > 10s);
    CHECK(longest <= 30s);
    f.fsm.on_list_error(refusal(429, "TooManyRequests", "", 45s));
    CHECK(f.fsm.next().delay == 45s);
    const auto snapshot = f.fsm.on_page(page_of({}, "11"));
    REQUIRE(snapshot);
    CHECK(snapshot->empty());
    check_watches(f.fsm, "11", true);
}

TEST_CASE("events carry their objects and move the version", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    const auto added = f.fsm.on_line(event_line("ADDED", "b", "11"));
    REQUIRE(added.has_value());
    REQUIRE(added->has_value());
    CHECK((*added)->what == watch_event::type::upsert);
    CHECK((*added)->object->meta.name == "b");
    CHECK((*f.fsm.on_line(event_line("MODIFIED", "b", "12")))->what == watch_event::type::upsert);
    const auto gone = f.fsm.on_line(event_line("DELETED", "b", "13"));
    REQUIRE(gone.has_value());
    CHECK((*gone)->what == watch_event::type::removal);
    CHECK((*gone)->object->meta.key() == object_key{"default", "b"});
    CHECK(f.fsm.resource_version() == "13");
    f.end_watch(200s);
    check_watches(f.fsm, "13", true);
}

TEST_CASE("a bookmark moves the version and is no object", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    const auto mark = f.fsm.on_line(bookmark_line("500"));
    REQUIRE(mark.has_value());
    REQUIRE(mark->has_value());
    CHECK((*mark)->what == watch_event::type::bookmark);
    CHECK_FALSE((*mark)->object);
    f.end_watch(200s);
    check_watches(f.fsm, "500", true);
}

TEST_CASE("an event of an unknown type is ignored", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    const auto news = f.fsm.on_line(event_line("TRANSMOGRIFIED", "b", "11"));
    REQUIRE(news.has_value());
    CHECK_FALSE(news->has_value());
}

TEST_CASE(
    "a line that is no event is a protocol error, and the watch goes on from where it was", "[kube][watch]"
)
{
    for (const char* line :
         {"",
          "garbage",
          "{",
          "[]",
          "null",
          R"({"type":"ADDED"})",
          R"({"type":"ADDED","object":[]})",
          R"({"type":"ADDED","object":{"metadata":{}}})"})
    {
        CAPTURE(line);
        fixture f;
        f.open_watch();
        const auto taken = f.fsm.on_line(line);
        REQUIRE_FALSE(taken.has_value());
        CHECK(taken.error().code() == errc::protocol);
        f.fail_watch(taken.error());
        check_watches(f.fsm, "10", false);
    }
}

TEST_CASE("410 in the stream lists anew at once", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    const auto taken = f.fsm.on_line(error_line(410, "Expired", "too old resource version: 10 (500)"));
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().http_status() == 410);
    CHECK(taken.error().is_expired());
    f.fail_watch(taken.error());
    check_lists_anew(f.fsm, true);
    CHECK_FALSE(f.fsm.listed());
}

TEST_CASE("410 as the watch's status lists anew at once", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of({}, "10")));
    f.fail_watch(refusal(410, "Expired"));
    check_lists_anew(f.fsm, true);
}

TEST_CASE("a version from the future lists anew", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of({}, "10")));
    f.fail_watch(refusal(504, "Timeout", "Too large resource version: 10, current: 9"));
    check_lists_anew(f.fsm, true);
}

TEST_CASE("a server that always answers 410 to the watch is not asked in a tight circle", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of({}, "10")));
    f.fail_watch(refusal(410));
    check_lists_anew(f.fsm, true);
    REQUIRE(f.fsm.on_page(page_of({}, "11")));
    f.fail_watch(refusal(410));
    check_lists_anew(f.fsm, false);
    // A watch that worked makes the next one an ordinary one again.
    REQUIRE(f.fsm.on_page(page_of({}, "12")));
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(refusal(410), 300s);
    check_lists_anew(f.fsm, true);
}

TEST_CASE("404 on the watch lists anew, with a delay", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of({}, "10")));
    f.fail_watch(refusal(404, "NotFound"));
    check_lists_anew(f.fsm, false);
}

TEST_CASE("429 keeps the watch and waits as long as the server says", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.fail_watch(refusal(429, "TooManyRequests", "", 17s), 10s);
    check_watches(f.fsm, "10", false);
    CHECK(f.fsm.next().delay == 17s);
    f.fail_watch(refusal(429, "TooManyRequests", "", 0s));
    CHECK(f.fsm.next().delay > 0ms);
    CHECK(f.fsm.next().delay < 5s);
}

TEST_CASE("an unreachable server keeps the watch and is asked ever more rarely", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    std::chrono::milliseconds longest{};
    for (int i = 0; i < 8; ++i)
    {
        f.fail_watch(api_error(fail(errc::unavailable, "connection refused")));
        check_watches(f.fsm, "10", false);
        longest = std::max(longest, f.fsm.next().delay);
    }
    CHECK(longest > 10s);
    // Once a watch has lasted, the next failure is a first one again.
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(api_error(fail(errc::unavailable, "connection refused")), 3min);
    CHECK(f.fsm.next().delay <= 800ms);
}

TEST_CASE("a watch that ends in order is opened again at once", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.end_watch(200s);
    check_watches(f.fsm, "10", true);
}

TEST_CASE("a watch that ends at once and empty backs off, one with an event does not", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.end_watch(10ms);
    check_watches(f.fsm, "10", false);
    f.fsm.on_watch_opened(f.now);
    REQUIRE(f.fsm.on_line(event_line("MODIFIED", "a", "11")).has_value());
    f.end_watch(10ms);
    check_watches(f.fsm, "11", true);
    // The event of one watch does not excuse the next one.
    f.fsm.on_watch_opened(f.now);
    f.end_watch(10ms);
    check_watches(f.fsm, "11", false);
}
