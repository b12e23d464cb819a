#include "catch.hpp"
#include "sandbox_world.hpp"

#include <portitor/core/task_group.hpp>

#include <boost/asio/post.hpp>

using namespace portitor;
using namespace portitor::sandbox;
using namespace portitor::sandbox::samples;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(sandbox_world, "a list comes in pages of one moment")
{
    for (int i = 0; i < 1203; ++i)
        create(widget(fmt::format("w-{:04}", i)));
    strings names;
    const auto first = list(names);
    REQUIRE(first);
    CHECK(names.size() == 500);
    REQUIRE(remove("w-0700"));
    create(widget("w-9999"));
    const auto second = list(names, {"", first->continue_token});
    REQUIRE(second);
    CHECK(second->resource_version == first->resource_version);
    const auto third = list(names, {"", second->continue_token});
    REQUIRE(third);
    CHECK(third->continue_token.empty());
    CHECK(names.size() == 1203);
    CHECK(names.at(700) == "w-0700");

    // A page may be asked for again, but not together with a version.
    CHECK(list(names, {"", first->continue_token})->continue_token == second->continue_token);
    CHECK(list(names, {"1", first->continue_token}).error().http_status() == 400);
    for (const char* odd : {"nonsense", "page+/=", "page+/=1", "page+/=x.y", "page+/=99.500"})
        CHECK(list(names, {"", odd}).error().is_expired());
    server.storage().expire_lists();
    CHECK(list(names, {"", first->continue_token}).error().is_expired());
    // What was changed meanwhile comes by a watch from there.
    const auto stream = watch(first->resource_version);
    CHECK(read(*stream) == strings{"DELETED w-0700", "ADDED w-9999"});
}

TEST_CASE("lists that nobody reads on are pushed out by newer ones")
{
    storage_limits limits;
    limits.lists = 2;
    sandbox_world w(limits);
    for (int i = 0; i < 501; ++i)
        w.create(widget(fmt::format("w-{:03}", i)));
    strings tokens;
    for (int i = 0; i < 3; ++i)
    {
        strings names;
        tokens.push_back(w.list(names)->continue_token);
    }
    strings names;
    CHECK(w.list(names, {"", tokens[0]}).error().is_expired());
    CHECK(w.list(names, {"", tokens[1]}));
    CHECK(w.list(names, {"", tokens[2]}));
}

TEST_CASE_METHOD(
    sandbox_world, "a list may ask for what is not older than a version, but for none of the future"
)
{
    const std::string now = create(widget("a"))->meta.resource_version;
    strings names;
    CHECK(list(names, {now, ""}));
    const auto refused = list(names, {std::to_string(std::stoull(now) + 1), ""});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().http_status() == 504);
    CHECK(refused.error().is_expired());
    CHECK(refused.error().retry_after() == 1s);
    CHECK(list(names, {"x", ""}).error().http_status() == 400);
}

TEST_CASE_METHOD(sandbox_world, "a watch tells what happens after its version, in order")
{
    create(widget("before"));
    const auto from = create(widget("a"));
    const auto stream = watch(from->meta.resource_version);
    create(widget("b"));
    REQUIRE(patch("a", R"([{"op":"add","path":"/spec/size","value":2}])"));
    REQUIRE(remove("b"));
    create(parsed(R"({"metadata":{"namespace":"default","name":"other-kind"}})"), notes);
    CHECK(read(*stream) == strings{"ADDED b", "MODIFIED a", "DELETED b"});
    // The same again, for who comes later.
    const auto late = watch(from->meta.resource_version);
    CHECK(read(*late).size() == 3);
}

TEST_CASE_METHOD(sandbox_world, "a watch that waits is woken by a change, and gives up when it was told to")
{
    const auto stream = watch(create(widget("a"))->meta.resource_version);
    strings told;
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::text));
    const auto follow = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 2; ++i)
        {
            const auto piece = co_await stream->read_some(10s);
            told.push_back(piece ? "something" : to_string(piece.error().code()));
        }
    };
    tasks.spawn("follow", follow());
    settle();
    create(widget("b"));
    settle();
    CHECK(told == strings{"something"});
    time.advance(9s);
    create(parsed(R"({"metadata":{"namespace":"default","name":"other-kind"}})"), notes);
    settle();
    CHECK(told.size() == 1);
    time.advance(1s);
    run(tasks.join());
    CHECK(told == strings{"something", "timed_out"});
}

TEST_CASE_METHOD(sandbox_world, "a watch that was left does not keep the server")
{
    const auto stream = watch(create(widget("a"))->meta.resource_version);
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::text));
    const auto follow = [&]() -> asio::awaitable<void> { co_await stream->read_some(10s); };
    tasks.spawn("follow", follow());
    settle();
    asio::post(context, [&] { tasks.cancel(); });
    run(tasks.join());
    create(widget("b"));
    CHECK(read(*stream) == strings{"ADDED b"});
}

TEST_CASE_METHOD(
    sandbox_world, "a version that has grown too old is 410 in the stream; one of the future 504"
)
{
    const std::string old = create(widget("a"))->meta.resource_version;
    server.storage().compact();
    const auto stream = watch(old);
    CHECK(read(*stream) == strings{"ERROR Expired"});
    CHECK(read(*stream).empty());
    const auto refused = run(client.watch(widgets, {}, "999999", 10s));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is_expired());
    CHECK(run(client.watch(widgets, {}, "x", 10s)).error().http_status() == 400);
}

TEST_CASE("a history has an end: who is behind it is told so, in an open watch too")
{
    storage_limits limits;
    limits.history = 10;
    sandbox_world w(limits);
    const std::string from = w.create(widget("a"))->meta.resource_version;
    const auto slow = w.watch(from);
    for (int i = 0; i < 9; ++i)
        w.create(widget(fmt::format("w-{}", i)));
    CHECK(w.read(*w.watch(from)).size() == 9);
    for (int i = 0; i < 3; ++i)
        w.create(widget(fmt::format("x-{}", i)));
    CHECK(w.read(*slow) == strings{"ERROR Expired"});
    CHECK(w.read(*w.watch(from)) == strings{"ERROR Expired"});
}

TEST_CASE_METHOD(sandbox_world, "a watch ends after its time, and says how far it has come")
{
    const auto stream = watch(create(widget("a"))->meta.resource_version, {}, 90s);
    create(parsed(R"({"metadata":{"namespace":"default","name":"other-kind"}})"), notes);
    time.advance(60s);
    CHECK(read(*stream) == strings{"BOOKMARK"});
    time.advance(30s);
    CHECK(read(*stream) == strings{"BOOKMARK"});
    CHECK(read(*stream).empty());
}

TEST_CASE_METHOD(sandbox_world, "a test may end, break and expire watches")
{
    const std::string from = create(widget("a"))->meta.resource_version;
    const auto ended = watch(from);
    server.end_watches();
    CHECK(read(*ended) == strings{"BOOKMARK"});
    CHECK(read(*ended).empty());
    const auto broken = watch(from);
    server.break_watches();
    CHECK(read(*broken) == strings{"unavailable"});
    const auto expired = watch(from);
    server.expire_watches();
    CHECK(read(*expired) == strings{"ERROR Expired"});
    const auto good = watch(from);
    create(widget("b"));
    CHECK(read(*good) == strings{"ADDED b"});
}

TEST_CASE_METHOD(
    sandbox_world, "a stopped server is not reached; one that stands still is waited for, 30 s long"
)
{
    create(widget("a"));
    server.stop();
    const auto refused = run(client.get(widgets, key("a")));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::unavailable);
    server.start();
    CHECK(exists("a"));

    server.freeze();
    std::optional<errc> ended;
    bool answered = false;
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::text));
    const auto ask = [&]() -> asio::awaitable<void> {
        const auto got = co_await client.get(widgets, key("a"));
        answered = got.has_value();
        if (!got)
            ended = got.error().code();
    };
    SECTION("until it goes on")
    {
        tasks.spawn("ask", ask());
        settle();
        server.thaw();
        run(tasks.join());
        CHECK(answered);
    }
    SECTION("until the client gives up")
    {
        tasks.spawn("ask", ask());
        settle();
        time.advance(30s);
        run(tasks.join());
        CHECK(ended == errc::timed_out);
    }
    SECTION("until it is killed")
    {
        tasks.spawn("ask", ask());
        settle();
        server.stop();
        server.start();
        run(tasks.join());
        CHECK(ended == errc::unavailable);
    }
}

TEST_CASE_METHOD(sandbox_world, "a watch may show metadata alone, of what it selects")
{
    kube::selection which;
    which.labels = "app=x";
    which.metadata_only = true;
    const auto stream = watch(create(widget("a"))->meta.resource_version, which);
    boost::json::object wanted = widget("b");
    wanted["metadata"].as_object()["labels"] = {{"app", "x"}};
    create(wanted);
    const auto piece = run(stream->read_some(1s)).value();
    CHECK(piece.find("PartialObjectMetadata") != std::string::npos);
    CHECK(piece.find("spec") == std::string::npos);
    REQUIRE(patch("b", R"([{"op":"remove","path":"/metadata/labels/app"}])"));
    CHECK(read(*stream) == strings{"DELETED b"});
}
