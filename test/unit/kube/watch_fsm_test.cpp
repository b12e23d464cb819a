#include "catch.hpp"

#include <portitor/kube/watch_fsm.hpp>

#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;

namespace {

using action = watch_step::action;

api_error refusal(
    unsigned status,
    std::string reason = "",
    std::chrono::seconds after = 0s,
    std::vector<status_cause> causes = {}
)
{
    return {status, std::move(reason), "the test says so", after, std::move(causes)};
}

// What a server answers that was restored from a backup, or whose cache is behind.
api_error from_the_future(std::chrono::seconds after = 0s)
{
    return refusal(504, "Timeout", after, {{"ResourceVersionTooLarge", "", "Too large resource version"}});
}

list_page page_of(std::string version, std::string more = "")
{
    list_page page;
    page.resource_version = std::move(version);
    page.continue_token = std::move(more);
    return page;
}

struct fixture
{
    watch_fsm fsm{backoff(800ms, 30s, 1)};
    watch_fsm::time_point now = watch_fsm::time_point() + 1h;

    void open_watch()
    {
        if (fsm.next().what == action::list)
            REQUIRE(fsm.on_page(page_of("10")));
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

const api_error unreachable(fail(errc::unavailable, "connection refused"));

void check_lists_anew(const watch_fsm& fsm, bool at_once)
{
    const watch_step step = fsm.next();
    CHECK(step.what == action::list);
    CHECK(step.from.resource_version.empty());
    CHECK(step.from.continue_token.empty());
    CHECK((step.delay == 0ms) == at_once);
}

void check_watches(const watch_fsm& fsm, const std::string& version, bool at_once)
{
    const watch_step step = fsm.next();
    CHECK(step.what == action::watch);
    CHECK(step.from.resource_version == version);
    CHECK(step.from.continue_token.empty());
    CHECK((step.delay == 0ms) == at_once);
}

}  // namespace

TEST_CASE("a watcher lists first, and watches from the list's version", "[kube][watch]")
{
    fixture f;
    check_lists_anew(f.fsm, true);
    CHECK(f.fsm.on_page(page_of("10")));
    check_watches(f.fsm, "10", true);
    CHECK(f.fsm.resource_version() == "10");
}

TEST_CASE("next() may be asked as often as one likes", "[kube][watch]")
{
    fixture f;
    f.fsm.on_list_error(refusal(500));
    const auto delay = f.fsm.next().delay;
    CHECK(f.fsm.next().delay == delay);
    CHECK(f.fsm.next().delay == delay);
}

TEST_CASE("pages follow each other by their tokens, and only the last one is the end", "[kube][watch]")
{
    fixture f;
    CHECK_FALSE(f.fsm.on_page(page_of("10", "token-1")));
    CHECK(f.fsm.next().what == action::list);
    CHECK(f.fsm.next().from.continue_token == "token-1");
    CHECK(f.fsm.next().delay == 0ms);
    CHECK_FALSE(f.fsm.on_page(page_of("10", "token-2")));
    CHECK(f.fsm.next().from.continue_token == "token-2");
    CHECK(f.fsm.on_page(page_of("10")));
    check_watches(f.fsm, "10", true);
}

TEST_CASE("410 on a later page starts from scratch, at once only the first time", "[kube][watch]")
{
    fixture f;
    f.fsm.on_page(page_of("10", "token-1"));
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, true);
    f.fsm.on_page(page_of("20", "token-2"));
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, false);
    CHECK(f.fsm.on_page(page_of("30")));
    check_watches(f.fsm, "30", true);
}

TEST_CASE("410 on a later page waits where the server says for how long", "[kube][watch]")
{
    fixture f;
    f.fsm.on_page(page_of("10", "token-1"));
    f.fsm.on_list_error(refusal(410, "Expired", 9s));
    check_lists_anew(f.fsm, false);
    CHECK(f.fsm.next().delay == 9s);
}

TEST_CASE("410 on the first page is retried with a delay", "[kube][watch]")
{
    fixture f;
    f.fsm.on_list_error(refusal(410, "Expired"));
    check_lists_anew(f.fsm, false);
    f.fsm.on_list_error(from_the_future());
    check_lists_anew(f.fsm, false);
}

TEST_CASE("a list that fails is retried from its first page, ever later", "[kube][watch]")
{
    fixture f;
    f.fsm.on_page(page_of("10", "token-1"));
    std::chrono::milliseconds longest{};
    for (int i = 0; i < 8; ++i)
    {
        f.fsm.on_list_error(i % 2 ? unreachable : refusal(500));
        check_lists_anew(f.fsm, false);
        longest = std::max(longest, f.fsm.next().delay);
    }
    CHECK(longest > 10s);
    CHECK(longest <= 30s);
    f.fsm.on_list_error(refusal(429, "TooManyRequests", 45s));
    CHECK(f.fsm.next().delay == 45s);
    CHECK(f.fsm.on_page(page_of("11")));
    check_watches(f.fsm, "11", true);
}

TEST_CASE("a kind that is not installed is listed again at the capped pace", "[kube][watch]")
{
    fixture f;
    for (int i = 0; i < 20; ++i)
    {
        f.fsm.on_list_error(refusal(404, "NotFound"));
        check_lists_anew(f.fsm, false);
        CHECK(f.fsm.next().delay <= 30s);
    }
    CHECK(f.fsm.next().delay >= 15s);
}

TEST_CASE("events tell what they are about and move the version", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    CHECK(f.fsm.on_event("ADDED", "11") == watch_event::upsert);
    CHECK(f.fsm.on_event("MODIFIED", "12") == watch_event::upsert);
    CHECK(f.fsm.on_event("DELETED", "13") == watch_event::removal);
    CHECK(f.fsm.resource_version() == "13");
    CHECK(f.fsm.on_event("BOOKMARK", "500") == watch_event::bookmark);
    CHECK(f.fsm.resource_version() == "500");
    CHECK(f.fsm.on_event("TRANSMOGRIFIED", "501") == watch_event::unknown);
    CHECK(f.fsm.on_event("MODIFIED", "") == watch_event::upsert);
    CHECK(f.fsm.resource_version() == "501");
    f.end_watch(200s);
    check_watches(f.fsm, "501", true);
}

TEST_CASE("410 in the stream, or as the watch's status, lists anew at once", "[kube][watch]")
{
    fixture f;
    SECTION("in the stream")
    {
        f.open_watch();
        f.fsm.on_event("MODIFIED", "11");
        f.fail_watch(refusal(410, "Expired"), 10ms);
    }
    SECTION("by its reason alone")
    {
        f.open_watch();
        f.fail_watch(refusal(500, "Expired"));
    }
    SECTION("by the older reason")
    {
        f.open_watch();
        f.fail_watch(refusal(500, "Gone"));
    }
    SECTION("as the status")
    {
        REQUIRE(f.fsm.on_page(page_of("10")));
        f.fail_watch(refusal(410, "Expired"));
    }
    check_lists_anew(f.fsm, true);
    CHECK(f.fsm.on_page(page_of("20")));
    check_watches(f.fsm, "20", true);
}

TEST_CASE("a version from the future lists anew, told by its cause and not by its text", "[kube][watch]")
{
    fixture f;
    SECTION("at once")
    {
        f.open_watch();
        f.fail_watch(from_the_future());
        check_lists_anew(f.fsm, true);
    }
    SECTION("after the pause that the server asks for")
    {
        f.open_watch();
        f.fail_watch(from_the_future(1s));
        check_lists_anew(f.fsm, false);
        CHECK(f.fsm.next().delay == 1s);
    }
    SECTION("other timeouts keep the version")
    {
        f.open_watch();
        f.fail_watch({504, "Timeout", "Too large resource version: 10, current: 9", 0s});
        check_watches(f.fsm, "10", false);
    }
}

TEST_CASE("a server that always answers 410 to the watch is not asked in a tight circle", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of("10")));
    f.fail_watch(refusal(410));
    check_lists_anew(f.fsm, true);
    REQUIRE(f.fsm.on_page(page_of("11")));
    f.fail_watch(refusal(410));
    check_lists_anew(f.fsm, false);
    // Nor where the watch opens and says so then.
    REQUIRE(f.fsm.on_page(page_of("12")));
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(refusal(410), 10ms);
    check_lists_anew(f.fsm, false);
    // A watch that worked makes the next one an ordinary one again.
    REQUIRE(f.fsm.on_page(page_of("13")));
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(refusal(410), 300s);
    check_lists_anew(f.fsm, true);
}

TEST_CASE("404 on the watch lists anew, with a delay", "[kube][watch]")
{
    fixture f;
    REQUIRE(f.fsm.on_page(page_of("10")));
    f.fail_watch(refusal(404, "NotFound"));
    check_lists_anew(f.fsm, false);
}

TEST_CASE("429 keeps the watch and waits as long as the server says", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.fail_watch(refusal(429, "TooManyRequests", 17s), 10s);
    check_watches(f.fsm, "10", false);
    CHECK(f.fsm.next().delay == 17s);
    f.fail_watch(refusal(429, "TooManyRequests"));
    check_watches(f.fsm, "10", false);
    CHECK(f.fsm.next().delay < 5s);
}

TEST_CASE("an unreachable server keeps the watch and is asked ever more rarely", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    std::chrono::milliseconds longest{};
    for (int i = 0; i < 8; ++i)
    {
        f.fail_watch(i % 2 ? unreachable : refusal(503));
        check_watches(f.fsm, "10", false);
        longest = std::max(longest, f.fsm.next().delay);
    }
    CHECK(longest > 10s);
    CHECK(longest <= 30s);
}

TEST_CASE(
    "a watch of two minutes makes the next failure a first one, a shorter one does not", "[kube][watch]"
)
{
    fixture f;
    f.open_watch();
    for (int i = 0; i < 8; ++i)
        f.fail_watch(unreachable);
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(unreachable, 119s);
    CHECK(f.fsm.next().delay >= 15s);
    f.fsm.on_watch_opened(f.now);
    f.fail_watch(unreachable, 120s);
    CHECK(f.fsm.next().delay <= 800ms);
    CHECK(f.fsm.next().delay >= 400ms);
    // Time that passes between failures is not time that a watch lasted.
    for (int i = 0; i < 8; ++i)
        f.fail_watch(unreachable, 200s);
    CHECK(f.fsm.next().delay >= 15s);
}

TEST_CASE("a watch that ends in order is opened again at once", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.end_watch(200s);
    check_watches(f.fsm, "10", true);
    f.fsm.on_watch_opened(f.now);
    f.end_watch(1s);
    check_watches(f.fsm, "10", true);
}

TEST_CASE("a watch that ends at once and empty backs off, one with an event does not", "[kube][watch]")
{
    fixture f;
    f.open_watch();
    f.end_watch(10ms);
    check_watches(f.fsm, "10", false);
    f.fsm.on_watch_opened(f.now);
    f.fsm.on_event("MODIFIED", "11");
    f.end_watch(10ms);
    check_watches(f.fsm, "11", true);
    // The event of one watch does not excuse the next one.
    f.fsm.on_watch_opened(f.now);
    f.end_watch(10ms);
    check_watches(f.fsm, "11", false);
}
