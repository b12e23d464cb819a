#include "catch.hpp"
#include "harness.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/work_queue.hpp>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::manual_timekeeper;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

object_key key_of(const std::string& name)
{
    return {"default", name};
}

using names = std::vector<std::string>;

struct fixture
{
    asio::io_context context;
    manual_timekeeper time;
    metrics numbers;
    work_queue queue{context.get_executor(), "test", time, numbers};
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::text)};
    names got;

    ~fixture()
    {
        queue.close();
        inside(context, [this] { tasks.cancel(); });
        run(context, tasks.join());
    }

    asio::awaitable<void> take(std::string& out)
    {
        const auto key = co_await queue.get();
        out = key ? key->name : "closed";
    }

    // The name of the key that can be had now; "nothing" where there is none.
    std::string next()
    {
        std::string out = "nothing";
        task_group one(context.get_executor(), logger(log_level::error, log_format::text));
        one.spawn("get", take(out));
        settle(context);
        inside(context, [&] { one.cancel(); });
        run(context, one.join());
        return out;
    }

    // The next key, which is done at once.
    std::string finish_next()
    {
        const std::string name = next();
        queue.done(key_of(name));
        return name;
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
            if (linger.count() > 0)
                co_await time.sleep_for(linger);
            queue.done(*key);
        }
        got.push_back(who + " closed");
    }

    asio::awaitable<void> wait_idle(bool& idle)
    {
        co_await queue.wait_idle();
        idle = true;
    }

    void pass(std::chrono::milliseconds by)
    {
        time.advance(by);
        settle(context);
    }

    // How long the next delayed key has to wait.
    std::chrono::milliseconds time_to_next()
    {
        std::string out = "nothing";
        task_group one(context.get_executor(), logger(log_level::error, log_format::text));
        one.spawn("get", take(out));
        settle(context);
        const auto when = time.next_expiry();
        inside(context, [&] { one.cancel(); });
        run(context, one.join());
        REQUIRE(out == "nothing");
        REQUIRE(when != manual_timekeeper::time_point::max());
        return std::chrono::duration_cast<std::chrono::milliseconds>(when - time.now());
    }

    bool shows(const std::string& line) const
    {
        return numbers.expose().find(line + "\n") != std::string::npos;
    }
};

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
    CHECK(f.next() == "nothing");
    CHECK(f.queue.depth() == 0);
    CHECK(f.queue.in_work() == 2);
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
    CHECK(f.finish_next() == "a");
    f.queue.done(key_of("b"));
    CHECK(f.next() == "nothing");
    CHECK(f.queue.in_work() == 0);
    f.queue.done(key_of("a"));  // nobody works on it
    CHECK(f.next() == "nothing");
}

TEST_CASE("the more urgent comes first, whenever it was added", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("low 1"), queue_priority::low);
    f.queue.add(key_of("low 2"), queue_priority::low);
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    CHECK(f.queue.depth() == 4);
    CHECK(f.finish_next() == "a");
    CHECK(f.finish_next() == "b");
    CHECK(f.finish_next() == "low 1");
    CHECK(f.finish_next() == "low 2");
}

TEST_CASE("a key that waits moves up, never down", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"), queue_priority::low);
    f.queue.add(key_of("b"), queue_priority::low);
    f.queue.add(key_of("c"));
    f.queue.add(key_of("b"));
    f.queue.add(key_of("c"), queue_priority::low);
    CHECK(f.queue.depth() == 3);
    CHECK(f.finish_next() == "c");
    CHECK(f.finish_next() == "b");
    CHECK(f.finish_next() == "a");
    CHECK(f.next() == "nothing");
    // The next time it is as urgent as that time's add.
    f.queue.add(key_of("b"), queue_priority::low);
    f.queue.add(key_of("a"));
    CHECK(f.finish_next() == "a");
    CHECK(f.finish_next() == "b");
}

TEST_CASE("a key moves up while it is worked on, too", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"), queue_priority::low);
    CHECK(f.next() == "a");
    f.queue.add(key_of("a"), queue_priority::low);
    f.queue.add(key_of("b"), queue_priority::low);
    f.queue.add(key_of("a"));
    CHECK(f.queue.depth() == 1);
    f.queue.done(key_of("a"));
    CHECK(f.finish_next() == "a");
    CHECK(f.finish_next() == "b");
    CHECK(f.next() == "nothing");
}

TEST_CASE("a waiter is woken by an add", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("worker", f.work("w", 0ms));
    settle(f.context);
    CHECK(f.got.empty());
    f.queue.add(key_of("a"));
    settle(f.context);
    CHECK(f.got == names{"w a"});
}

TEST_CASE("two waiters share the keys, and never one key at once", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 30ms));
    f.tasks.spawn("two", f.work("two", 30ms));
    settle(f.context);
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    settle(f.context);
    REQUIRE(f.got.size() == 2);
    CHECK(f.got[0].substr(0, 3) != f.got[1].substr(0, 3));
    f.queue.add(key_of("a"));
    f.pass(29ms);
    CHECK(f.got.size() == 2);
    f.pass(1ms);
    REQUIRE(f.got.size() == 3);
    CHECK(f.got[2].ends_with(" a"));
}

TEST_CASE("two waiters both see delayed keys", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 1h));
    f.tasks.spawn("two", f.work("two", 1h));
    settle(f.context);
    f.queue.add_after(key_of("late"), 30ms);
    f.queue.add_after(key_of("soon"), 10ms);
    settle(f.context);
    f.pass(9ms);
    CHECK(f.got.empty());
    f.pass(1ms);
    REQUIRE(f.got.size() == 1);
    CHECK(f.got[0].ends_with(" soon"));
    f.pass(20ms);
    REQUIRE(f.got.size() == 2);
    CHECK(f.got[1].ends_with(" late"));
}

TEST_CASE("a delayed key waits, and its earlier time stays", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_after(key_of("a"), 1h);
    f.queue.add_after(key_of("a"), 30ms);
    f.queue.add_after(key_of("a"), 1h);
    CHECK(f.queue.depth() == 0);
    CHECK(f.time_to_next() == 30ms);
    f.pass(29ms);
    CHECK(f.next() == "nothing");
    f.pass(1ms);
    CHECK(f.finish_next() == "a");
    f.pass(2h);
    CHECK(f.next() == "nothing");  // the other times are gone
}

TEST_CASE("an add does not wait for the delay, and the delay stays", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_after(key_of("a"), 30ms);
    f.queue.add(key_of("a"));
    CHECK(f.finish_next() == "a");
    CHECK(f.next() == "nothing");
    f.pass(30ms);
    CHECK(f.finish_next() == "a");
    CHECK(f.next() == "nothing");
}

TEST_CASE("a delay that ends while the key is worked on means one more run", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    CHECK(f.next() == "a");
    f.queue.add_after(key_of("a"), 30ms);
    f.pass(30ms);
    CHECK(f.next() == "nothing");
    f.queue.done(key_of("a"));
    CHECK(f.finish_next() == "a");
    CHECK(f.next() == "nothing");
}

TEST_CASE("no delay, or one of the past, is an add", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_after(key_of("a"), 0ms);
    f.queue.add_after(key_of("b"), -5s);
    CHECK(f.queue.depth() == 2);
}

TEST_CASE("failures of a key delay it ever more, up to a minute, with jitter", "[kube][work_queue]")
{
    fixture f;
    std::set<std::chrono::milliseconds> first_delays;
    for (int i = 0; i < 30; ++i)
    {
        const std::string name = "k" + std::to_string(i);
        std::chrono::milliseconds step = 50ms;
        for (int failure = 0; failure < 30; ++failure)
        {
            CAPTURE(i, failure);
            f.queue.add_failed(key_of(name));
            CHECK(f.queue.depth() == 0);
            const auto delay = f.time_to_next();
            CHECK(delay >= step / 2);
            CHECK(delay <= step);
            if (failure == 0)
                first_delays.insert(delay);
            f.pass(delay - 1ms);
            CHECK(f.next() == "nothing");
            f.pass(1ms);
            REQUIRE(f.finish_next() == name);
            step = std::min<std::chrono::milliseconds>(step * 2, 60s);
        }
    }
    CHECK(first_delays.size() > 5);
}

TEST_CASE("forget starts a key's failures over, and only this key's", "[kube][work_queue]")
{
    fixture f;
    const auto fail_often = [&](const std::string& name) {
        for (int i = 0; i < 10; ++i)
        {
            f.queue.add_failed(key_of(name));
            f.pass(60s);
            REQUIRE(f.finish_next() == name);
        }
    };
    fail_often("a");
    fail_often("b");
    f.queue.forget(key_of("a"));
    f.queue.forget(key_of("nobody"));
    f.queue.add_failed(key_of("a"));
    CHECK(f.time_to_next() <= 50ms);
    f.pass(50ms);
    CHECK(f.finish_next() == "a");
    f.queue.add_failed(key_of("b"));
    CHECK(f.time_to_next() >= 25s);
}

TEST_CASE("forgotten within its run and failed in the next one, a key waits shortly", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    for (int i = 0; i < 5; ++i)
    {
        CHECK(f.next() == "a");
        f.queue.forget(key_of("a"));
        f.queue.add_after(key_of("a"), 10s);
        f.queue.done(key_of("a"));
        f.pass(10s);
        CHECK(f.next() == "a");
        f.queue.add_failed(key_of("a"));
        f.queue.done(key_of("a"));
        CHECK(f.time_to_next() <= 50ms);
        f.pass(50ms);
    }
}

TEST_CASE("an event while a key is failing brings a run, but is no further failure", "[kube][work_queue]")
{
    fixture f;
    f.queue.add_failed(key_of("a"));
    auto rest = f.time_to_next();
    REQUIRE(rest >= 25ms);
    for (int i = 0; i < 20; ++i)
    {
        f.pass(1ms);
        rest -= 1ms;
        f.queue.add(key_of("a"));
        CHECK(f.next() == "a");
        f.queue.add_failed(key_of("a"));
        f.queue.done(key_of("a"));
        CHECK(f.time_to_next() == rest);
    }
    f.pass(rest);
    CHECK(f.next() == "a");
    f.queue.add_failed(key_of("a"));
    f.queue.done(key_of("a"));
    // The second step, whatever came between.
    CHECK(f.time_to_next() >= 50ms);
    CHECK(f.time_to_next() <= 100ms);
}

TEST_CASE("close wakes all waiters and drops what is queued", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("one", f.work("one", 0ms));
    f.tasks.spawn("two", f.work("two", 0ms));
    f.tasks.spawn("three", f.work("three", 0ms));
    settle(f.context);
    f.queue.add(key_of("a"));
    f.queue.add_after(key_of("b"), 10ms);
    f.queue.close();
    run(f.context, f.tasks.join());
    CHECK(f.got == names{"one closed", "two closed", "three closed"});
    f.queue.add(key_of("c"));
    f.queue.add_after(key_of("d"), 1ms);
    f.queue.add_after(key_of("e"), 0ms);
    f.queue.add_failed(key_of("f"));
    f.pass(1h);
    CHECK(f.queue.depth() == 0);
    CHECK(f.next() == "closed");
    CHECK(f.shows("workqueue_depth{name=\"test\"} 0"));
    f.queue.close();
    CHECK(f.next() == "closed");
}

TEST_CASE("a key that is done after the close does not come back", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.next();
    f.queue.add(key_of("a"));
    f.queue.close();
    f.queue.add_failed(key_of("a"));
    f.queue.done(key_of("a"));
    CHECK(f.queue.depth() == 0);
    CHECK(f.next() == "closed");
}

TEST_CASE("idle is when the last one is done", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    f.next();
    f.next();
    f.queue.close();
    bool idle = false;
    bool idle_too = false;
    f.tasks.spawn("wait", f.wait_idle(idle));
    f.tasks.spawn("wait", f.wait_idle(idle_too));
    settle(f.context);
    f.queue.done(key_of("a"));
    settle(f.context);
    CHECK_FALSE(idle);
    f.queue.done(key_of("b"));
    settle(f.context);
    CHECK(idle);
    CHECK(idle_too);
    bool still = false;
    f.tasks.spawn("wait", f.wait_idle(still));
    settle(f.context);
    CHECK(still);
}

TEST_CASE("who is canceled while waiting takes no key along", "[kube][work_queue]")
{
    fixture f;
    f.tasks.spawn("canceled", f.work("w", 1h));
    settle(f.context);
    SECTION("before a key comes")
    {
        inside(f.context, [&] {
            f.tasks.cancel();
            f.queue.add(key_of("a"));
        });
    }
    SECTION("in the moment in which it comes")
    {
        inside(f.context, [&] {
            f.queue.add(key_of("a"));
            f.tasks.cancel();
        });
    }
    if (f.queue.in_work() == 1)
        f.queue.done(key_of("a"));  // what a worker's guard does
    else
        CHECK(f.finish_next() == "a");
    CHECK(f.queue.depth() == 0);
    CHECK(f.queue.in_work() == 0);
}

TEST_CASE("the queue counts", "[kube][work_queue]")
{
    fixture f;
    f.queue.add(key_of("a"));
    f.queue.add(key_of("a"));
    f.queue.add_failed(key_of("b"));
    CHECK(f.shows("workqueue_depth{name=\"test\"} 1"));
    CHECK(f.shows("workqueue_adds_total{name=\"test\"} 1"));
    CHECK(f.shows("workqueue_retries_total{name=\"test\"} 1"));
    f.pass(3s);
    CHECK(f.next() == "a");
    CHECK(f.shows("workqueue_queue_duration_seconds_sum{name=\"test\"} 3"));
    CHECK(f.next() == "b");
    CHECK(f.shows("workqueue_queue_duration_seconds_count{name=\"test\"} 2"));
    f.pass(2s);
    f.queue.done(key_of("a"));
    CHECK(f.shows("workqueue_work_duration_seconds_sum{name=\"test\"} 2"));
    CHECK(f.shows("workqueue_work_duration_seconds_count{name=\"test\"} 1"));
}

TEST_CASE("the queue tells how long the work has been going on", "[kube][work_queue]")
{
    fixture f;
    const std::string longest = "workqueue_longest_running_processor_seconds{name=\"test\"} ";
    const std::string unfinished = "workqueue_unfinished_work_seconds{name=\"test\"} ";
    CHECK(f.shows(longest + "0"));
    f.queue.add(key_of("a"));
    f.queue.add(key_of("b"));
    f.next();
    f.pass(100s);
    f.next();
    f.pass(20s);
    CHECK(f.shows(longest + "120"));
    CHECK(f.shows(unfinished + "140"));
    f.queue.done(key_of("a"));
    CHECK(f.shows(longest + "20"));
    CHECK(f.shows(unfinished + "20"));
    f.queue.done(key_of("b"));
    CHECK(f.shows(longest + "0"));
    CHECK(f.shows(unfinished + "0"));
}

namespace {

// Many workers, keys that change at random, and runs that fail, ask for another one or take their time. What
// a run has seen is what the key was when it began.
struct busy_world
{
    explicit busy_world(unsigned seed) : random(seed) {}

    fixture f;
    std::mt19937 random;
    std::map<std::string, int> wanted;
    std::map<std::string, int> seen;
    std::set<std::string> in_work;
    int overlaps = 0;
    int runs = 0;
    bool failures = true;

    unsigned draw(unsigned below) { return random() % below; }

    asio::awaitable<void> work()
    {
        for (;;)
        {
            const auto key = co_await f.queue.get();
            if (!key)
                co_return;
            ++runs;
            if (!in_work.insert(key->name).second)
                ++overlaps;
            const int version = wanted[key->name];
            if (draw(3) > 0)
                co_await f.time.sleep_for(std::chrono::milliseconds(draw(40)));
            const unsigned end = draw(10);
            if (failures && end < 3)
                f.queue.add_failed(*key);
            else
            {
                seen[key->name] = version;
                f.queue.forget(*key);
                if (failures && end < 5)
                    f.queue.add_after(*key, std::chrono::milliseconds(draw(200)));
            }
            in_work.erase(key->name);
            f.queue.done(*key);
        }
    }

    void change()
    {
        const std::string name = std::to_string(draw(12));
        ++wanted[name];
        f.queue.add(key_of(name), draw(2) ? queue_priority::normal : queue_priority::low);
    }
};

}  // namespace

TEST_CASE("a namespace whose work does not end holds up no other", "[kube][work_queue]")
{
    fixture f;
    f.queue.share_out(2);
    for (const char* name : {"a", "b", "c", "d"})
        f.queue.add({"slow", name});
    f.queue.add({"quick", "x"});
    CHECK(f.next() == "a");
    CHECK(f.next() == "x");
    CHECK(f.next() == "b");
    CHECK(f.next() == "nothing");
    CHECK(f.queue.depth() == 2);
    // Who comes later waits as well; what is added again while it is held keeps its place.
    f.queue.add({"slow", "c"});
    f.queue.add({"slow", "e"}, queue_priority::low);
    CHECK(f.next() == "nothing");
    f.queue.done({"slow", "b"});
    CHECK(f.next() == "c");
    CHECK(f.next() == "nothing");
    f.queue.done({"slow", "a"});
    f.queue.done({"slow", "c"});
    CHECK(f.next() == "d");
    CHECK(f.next() == "e");
    for (const char* name : {"d", "e"})
        f.queue.done({"slow", name});
    f.queue.done({"quick", "x"});
    CHECK(f.queue.depth() == 0);
    CHECK(f.queue.in_work() == 0);
}

TEST_CASE("ten thousand keys of one namespace hold up another's by one run each", "[kube][work_queue]")
{
    fixture f;
    f.queue.share_out(3);
    for (int i = 0; i < 10'000; ++i)
        f.queue.add({"crowd", std::to_string(i)});
    for (int i = 0; i < 20; ++i)
        f.queue.add({"alone", "a" + std::to_string(i)}, i % 2 ? queue_priority::normal : queue_priority::low);
    // Four workers, each of which does one key after another.
    int runs = 0;
    int of_alone = 0;
    std::vector<object_key> in_work;
    const auto begin = [&] {
        std::string name = f.next();
        in_work.push_back(name.starts_with("a") ? object_key{"alone", name} : object_key{"crowd", name});
        of_alone += name.starts_with("a") ? 1 : 0;
        ++runs;
    };
    for (int i = 0; i < 4; ++i)
        begin();
    while (of_alone < 20 && runs < 1000)
    {
        f.queue.done(in_work.front());
        in_work.erase(in_work.begin());
        begin();
    }
    // Urgent ones of both take turns; what is not urgent has one run in eight while urgent ones wait.
    CHECK(runs <= 10 * 2 + 10 * 8 + 8);
    CHECK(of_alone == 20);
}

TEST_CASE("a key that is held can become urgent", "[kube][work_queue]")
{
    fixture f;
    f.queue.share_out(1);
    f.queue.add({"slow", "a"});
    f.queue.add({"slow", "b"}, queue_priority::low);
    f.queue.add({"slow", "c"}, queue_priority::low);
    CHECK(f.next() == "a");
    CHECK(f.next() == "nothing");
    f.queue.add({"slow", "c"});
    CHECK(f.next() == "nothing");
    f.queue.done({"slow", "a"});
    CHECK(f.next() == "c");
    f.queue.close();
    CHECK(f.queue.depth() == 0);
    CHECK(f.next() == "closed");
}

TEST_CASE(
    "whatever happens, no key has two runs at once, and the last change of each is seen", "[kube][work_queue]"
)
{
    for (unsigned seed = 1; seed <= 8; ++seed)
    {
        CAPTURE(seed);
        busy_world w(seed);
        const unsigned workers = 1 + w.draw(4);
        if (seed % 2 == 0)
            w.f.queue.share_out(1 + w.draw(workers));
        for (unsigned i = 0; i < workers; ++i)
            w.f.tasks.spawn("worker", w.work());
        for (int step = 0; step < 2000; ++step)
        {
            for (unsigned i = w.draw(3); i > 0; --i)
                w.change();
            if (w.draw(3) > 0)
                w.f.pass(std::chrono::milliseconds(w.draw(30)));
            else if (w.draw(2) > 0)
                w.f.context.poll_one();
        }
        w.failures = false;
        for (int i = 0; i < 200 && w.seen != w.wanted; ++i)
            w.f.pass(1s);
        CHECK(w.seen == w.wanted);
        CHECK(w.overlaps == 0);
        CHECK(w.runs > 500);
        // What still waits for its time comes, and may take a while.
        for (int i = 0; i < 100; ++i)
            w.f.pass(5s);
        CHECK(w.f.queue.depth() == 0);
        CHECK(w.f.queue.in_work() == 0);
        const int before = w.runs;
        w.f.pass(1h);
        CHECK(w.runs == before);
        w.f.queue.close();
        run(w.f.context, w.f.tasks.join());
        CHECK(w.f.tasks.size() == 0);
    }
}
