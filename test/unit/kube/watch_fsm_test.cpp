#include "catch.hpp"

#include <portitor/kube/line_splitter.hpp>
#include <portitor/kube/store.hpp>
#include <portitor/kube/watch_fsm.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;

namespace {

watch_fsm make()
{
    return watch_fsm(backoff(800ms, 30000ms, 1));
}

object_ptr item(const std::string& name, const std::string& uid = "u", const std::string& version = "1")
{
    boost::json::object meta{{"name", name}, {"namespace", "n"}, {"uid", uid}, {"resourceVersion", version}};
    boost::json::object raw;
    raw["metadata"] = meta;
    return parse_object(std::move(raw)).value();
}

object_page page(std::vector<object_ptr> items, std::string version, std::string more = "")
{
    object_page out;
    out.items = std::move(items);
    out.resource_version = std::move(version);
    out.continue_token = std::move(more);
    return out;
}

api_error status(unsigned code, std::string reason = "", std::chrono::seconds retry = 0s)
{
    return {code, std::move(reason), "message", retry};
}

watch_fsm watching()
{
    watch_fsm fsm = make();
    fsm.on_page(page({}, "100"));
    return fsm;
}

}  // namespace

TEST_CASE("pages are one snapshot, and the watch starts at the list's version", "[kube][watch]")
{
    watch_fsm fsm = make();
    CHECK(fsm.next().what == watch_step::action::list);
    CHECK(fsm.next().resource_version.empty());
    CHECK_FALSE(fsm.on_page(page({item("a", "1", "7")}, "100", "more")).has_value());
    CHECK(fsm.next().continue_token == "more");
    const auto snapshot = fsm.on_page(page({item("b")}, "101"));
    REQUIRE(snapshot.has_value());
    CHECK(snapshot->size() == 2);
    CHECK(fsm.next().what == watch_step::action::watch);
    CHECK(fsm.next().resource_version == "101");
}

TEST_CASE("a follow-up page that has expired starts the list anew, at once", "[kube][watch]")
{
    watch_fsm fsm = make();
    fsm.on_page(page({item("a")}, "100", "more"));
    fsm.on_list_error(status(410, "Expired"));
    CHECK(fsm.next().continue_token.empty());
    CHECK(fsm.next().delay == 0ms);
    const auto snapshot = fsm.on_page(page({item("b")}, "200"));
    REQUIRE(snapshot.has_value());
    CHECK(snapshot->size() == 1);
}

TEST_CASE("a failing list backs off and honours Retry-After", "[kube][watch]")
{
    watch_fsm fsm = make();
    fsm.on_list_error(status(500));
    const auto first = fsm.next().delay;
    CHECK(first >= 400ms);
    CHECK(first <= 800ms);
    fsm.on_list_error(status(429, "TooManyRequests", 7s));
    CHECK(fsm.next().delay == 7000ms);
    CHECK(fsm.next().what == watch_step::action::list);
}

TEST_CASE("events and bookmarks move the version", "[kube][watch]")
{
    watch_fsm fsm = watching();
    const auto added =
        fsm.on_line(R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"105"}}})");
    REQUIRE(added.has_value());
    REQUIRE(added->has_value());
    CHECK((*added)->what == watch_event::type::upsert);
    CHECK(fsm.resource_version() == "105");
    const auto mark = fsm.on_line(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"110"}}})");
    CHECK((*mark)->what == watch_event::type::bookmark);
    CHECK(fsm.resource_version() == "110");
    const auto gone =
        fsm.on_line(R"({"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"111"}}})");
    CHECK((*gone)->what == watch_event::type::removal);
    const auto odd = fsm.on_line(R"({"type":"NOVELTY","object":{"metadata":{"name":"a"}}})");
    REQUIRE(odd.has_value());
    CHECK_FALSE(odd->has_value());
}

TEST_CASE("an expired watch lists anew, whether in the stream or as a status", "[kube][watch]")
{
    watch_fsm fsm = watching();
    fsm.on_watch_opened(watch_fsm::steady::now());
    const auto ended = fsm.on_line(R"({"type":"ERROR","object":{"code":410,"reason":"Expired"}})");
    REQUIRE_FALSE(ended.has_value());
    const api_error failure = ended.error();
    CHECK(failure.is_expired());
    fsm.on_watch_end(&failure, watch_fsm::steady::now());
    CHECK(fsm.next().what == watch_step::action::list);
    CHECK(fsm.next().resource_version.empty());
    CHECK(fsm.next().delay == 0ms);
}

TEST_CASE("a refused or broken watch goes on from where it was", "[kube][watch]")
{
    watch_fsm fsm = watching();
    const api_error busy = status(429, "TooManyRequests", 3s);
    fsm.on_watch_end(&busy, watch_fsm::steady::now());
    CHECK(fsm.next().what == watch_step::action::watch);
    CHECK(fsm.next().resource_version == "100");
    CHECK(fsm.next().delay == 3000ms);
    const api_error lost(error(errc::unavailable, "refused"));
    fsm.on_watch_end(&lost, watch_fsm::steady::now());
    CHECK(fsm.next().what == watch_step::action::watch);
    CHECK(fsm.next().delay > 0ms);
}

TEST_CASE("a kind that is gone is listed again", "[kube][watch]")
{
    watch_fsm fsm = watching();
    const api_error gone = status(404);
    fsm.on_watch_end(&gone, watch_fsm::steady::now());
    CHECK(fsm.next().what == watch_step::action::list);
    CHECK(fsm.next().delay > 0ms);
}

TEST_CASE("an orderly end resumes at once, an immediate one waits", "[kube][watch]")
{
    watch_fsm fsm = watching();
    const auto now = watch_fsm::steady::now();
    fsm.on_watch_opened(now);
    fsm.on_watch_end(nullptr, now + 60s);
    CHECK(fsm.next().what == watch_step::action::watch);
    CHECK(fsm.next().delay == 0ms);
    fsm.on_watch_opened(now);
    fsm.on_watch_end(nullptr, now + 10ms);
    CHECK(fsm.next().delay > 0ms);
}

TEST_CASE("a line that is no event is a protocol error", "[kube][watch]")
{
    watch_fsm fsm = watching();
    for (const char* line : {"", "{", "[]", R"({"type":"ADDED"})", R"({"type":"ADDED","object":{}})"})
    {
        INFO(line);
        const auto read = fsm.on_line(line);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::protocol);
    }
}

TEST_CASE("lines come out whole, however the stream is cut", "[kube][watch]")
{
    const std::string stream = "one\ntwo\n\nthree\n";
    for (std::size_t size = 1; size <= stream.size(); ++size)
    {
        line_splitter lines;
        std::vector<std::string> got;
        for (std::size_t at = 0; at < stream.size(); at += size)
        {
            lines.feed(std::string_view(stream).substr(at, size));
            for (std::string_view line; lines.next(line).value();)
                got.emplace_back(line);
        }
        CHECK(got == std::vector<std::string>{"one", "two", "", "three"});
    }
    line_splitter tight(8);
    tight.feed("123456789");
    std::string_view line;
    CHECK_FALSE(tight.next(line).has_value());
}

TEST_CASE("a snapshot tells what came, went and was replaced", "[kube][store]")
{
    store objects;
    CHECK(objects.replace({item("a", "1"), item("b", "2")}).size() == 2);
    CHECK(objects.replace({item("a", "1"), item("b", "2")}).empty());
    const auto changes = objects.replace({item("b", "9")});
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].key.name == "a");
    CHECK_FALSE(changes[0].after);
    CHECK(changes[1].before->meta.uid == "2");
    CHECK_FALSE(changes[1].after);
    CHECK_FALSE(changes[2].before);
    CHECK(changes[2].after->meta.uid == "9");
    CHECK(objects.remove({"n", "zzz"}).empty());
    CHECK(objects.size() == 1);
}
