#include "catch.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/work_queue.hpp>

#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

object_key key_of(const std::string& name)
{
    return {"default", name};
}

struct fixture
{
    asio::io_context context;
    metrics numbers;
    work_queue queue{context.get_executor(), "test", numbers};
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::text)};
    std::vector<std::string> got;

    ~fixture()
    {
        queue.close();
        run(context, tasks.join());
    }

    // The next key's name; "closed" at the end.
    std::string next()
    {
        const auto key = run(context, queue.get());
        return key ? key->name : "closed";
    }

    // Takes keys until the queue is closed. `linger`: how long each is worked on.
    asio::awaitable<void> work(std::string who, std::chrono::milliseconds linger)
    {
        for (;;)
        {
            const auto key = co_await queue.get();
            if (!key)
                break;
            got.push_back(who + " " + key->name);
            co_await sleep_for(linger);
            queue.done(*key);
        }
        got.push_back(who + " closed");
    }

    void pass(std::chrono::milliseconds time) { run(context, sleep_for(time)); }
};

// How long the next key takes.
std::chrono::milliseconds time_of(fixture& f)
{
    const auto before = std::chrono::steady_clock::now();
    f.next();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
}

}  // namespace

TEST_CASE("keys come in the order in which they were added, each once", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    f.queue.add(key_of("a"));
    CHECK(f.queue.depth() == 2);
    CHECK(f.next() == "a");
    CHECK(f.next() == "b");
    CHECK(f.queue.depth() == 0);
}

TEST_CASE("a key that is added while it is worked on runs once more afterwards", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    CHECK(f.next() == "a");
    f.queue.add(key_of("a"));
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    CHECK(f.next() == "b");  // not "a": it is still worked on
    CHECK(f.queue.depth() == 0);
    f.queue.done(key_of("a"));
    CHECK(f.queue.depth() == 1);
    CHECK(f.next() == "a");
    f.queue.done(key_of("a"));
    f.queue.done(key_of("b"));
    CHECK(f.queue.depth() == 0);
}

TEST_CASE("a waiter is woken by an add", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("worker", f.work("w", 0ms));
    f.pass(5ms);
    CHECK(f.got.empty());
    f.queue.add(key_of("a"));
    f.pass(5ms);
    CHECK(f.got == std::vector<std::string>{"w a"});
}

TEST_CASE("two waiters share the keys, and never one key at once", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 30ms));
    f.tasks.spawn("two", f.work("two", 30ms));
    f.pass(2ms);
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    f.pass(5ms);
    CHECK(f.got.size() == 2);
    CHECK(f.got[0] != f.got[1]);
    f.queue.add(key_of("a"));
    f.pass(5ms);
    CHECK(f.got.size() == 2);
    f.pass(60ms);
    CHECK(f.got.size() == 3);
    CHECK(f.got[2].ends_with(" a"));
}

TEST_CASE("two waiters both see delayed keys", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 200ms));
    f.tasks.spawn("two", f.work("two", 200ms));
    f.pass(2ms);
    f.queue.add_after(key_of("late"), 30ms);
    f.queue.add_after(key_of("soon"), 10ms);
    f.pass(80ms);
    REQUIRE(f.got.size() == 2);
    CHECK(f.got[0].ends_with(" soon"));
    CHECK(f.got[1].ends_with(" late"));
}

TEST_CASE("a delayed key waits, and its earlier time stays", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_after(key_of("a"), 1h);
    f.queue.add_after(key_of("a"), 30ms);
    f.queue.add_after(key_of("a"), 1h);
    CHECK(f.queue.depth() == 0);
    const auto taken = time_of(f);
    CHECK(taken >= 29ms);
    CHECK(taken < 2s);
    f.queue.done(key_of("a"));
    f.pass(5ms);
    CHECK(f.queue.depth() == 0);  // the other times are gone
}

TEST_CASE("no delay, or one of the past, is an add", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_after(key_of("a"), 0ms);
    f.queue.add_after(key_of("b"), -5s);
    CHECK(f.queue.depth() == 2);
}

TEST_CASE("failures of a key delay it ever more, and forget resets", "[kube][work_queue]")
{
    fixture f;
    for (const auto step : {50ms, 100ms, 200ms})
    {
        f.queue.add_failed(key_of("a"));
        const auto taken = time_of(f);
        CHECK(taken >= step / 2 - 1ms);
        CHECK(taken <= step + 150ms);
        f.queue.done(key_of("a"));
    }
    SECTION("forgotten, it starts over")
    {
        f.queue.forget(key_of("a"));
        f.queue.add_failed(key_of("a"));
        CHECK(time_of(f) < 150ms);
    }
    SECTION("another key has its own count")
    {
        f.queue.add_failed(key_of("b"));
        CHECK(time_of(f) < 150ms);
    }
    SECTION("not forgotten, it goes on")
    {
        f.queue.add_failed(key_of("a"));
        CHECK(time_of(f) >= 199ms);
    }
}

TEST_CASE("close wakes all waiters and drops what is queued", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 0ms));
    f.tasks.spawn("two", f.work("two", 0ms));
    f.tasks.spawn("three", f.work("three", 0ms));
    f.pass(5ms);
    f.queue.add(key_of("a"));
    f.queue.add_after(key_of("b"), 10ms);
    f.queue.close();
    run(f.context, f.tasks.join());
    CHECK(f.got == std::vector<std::string>{"one closed", "two closed", "three closed"});
    f.queue.add(key_of("c"));
    f.queue.add_after(key_of("d"), 1ms);
    f.queue.add_failed(key_of("e"));
    CHECK(f.queue.depth() == 0);
    CHECK(f.next() == "closed");
}

TEST_CASE("a key that is done after the close does not come back", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.next();
    f.queue.add(key_of("a"));
    f.queue.close();
    f.queue.done(key_of("a"));
    CHECK(f.queue.depth() == 0);
}

TEST_CASE("the queue counts", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.queue.add(key_of("a"));
    f.queue.add_failed(key_of("b"));
    const std::string text = f.numbers.expose();
    CHECK(text.find("workqueue_depth{name=\"test\"} 1\n") != text.npos);
    CHECK(text.find("workqueue_adds_total{name=\"test\"} 1\n") != text.npos);
    CHECK(text.find("workqueue_retries_total{name=\"test\"} 1\n") != text.npos);
}
