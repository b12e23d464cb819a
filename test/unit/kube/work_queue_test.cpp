#include "catch.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/work_queue.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct world
{
    asio::io_context context;
    metrics numbers;
    work_queue queue{context.get_executor(), "test", numbers};
    const object_key a{"n", "a"};
    const object_key b{"n", "b"};

    std::optional<object_key> get() { return test::run(context, queue.get()); }
};

asio::awaitable<void> count_ends(work_queue& queue, int& ended)
{
    for (;;)
    {
        const auto key = co_await queue.get();
        if (!key)
            break;
    }
    ++ended;
}

}  // namespace

TEST_CASE("any number of adds is one run, in order", "[kube][queue]")
{
    world w;
    w.queue.add(w.a);
    w.queue.add(w.b);
    w.queue.add(w.a);
    CHECK(w.get() == w.a);
    CHECK(w.get() == w.b);
    CHECK(w.queue.depth() == 0);
}

TEST_CASE("a key that changes while it is worked on runs once more, never twice at once", "[kube][queue]")
{
    world w;
    w.queue.add(w.a);
    CHECK(w.get() == w.a);
    w.queue.add(w.a);
    w.queue.add(w.a);
    CHECK(w.queue.depth() == 0);
    w.queue.done(w.a);
    CHECK(w.queue.depth() == 1);
    CHECK(w.get() == w.a);
    w.queue.done(w.a);
    CHECK(w.queue.depth() == 0);
}

TEST_CASE("of two delays the shorter one counts", "[kube][queue]")
{
    world w;
    w.queue.add_after(w.a, 10s);
    w.queue.add_after(w.a, 30ms);
    w.queue.add_after(w.a, 20s);
    const auto began = std::chrono::steady_clock::now();
    CHECK(w.get() == w.a);
    CHECK(std::chrono::steady_clock::now() - began < 1s);
}

TEST_CASE("failures wait longer each time, until forgotten", "[kube][queue]")
{
    world w;
    const auto wait = [&] {
        const auto began = std::chrono::steady_clock::now();
        w.queue.add_failed(w.a);
        CHECK(w.get() == w.a);
        w.queue.done(w.a);
        return std::chrono::steady_clock::now() - began;
    };
    CHECK(wait() >= 20ms);
    wait();
    CHECK(wait() >= 95ms);
    w.queue.forget(w.a);
    CHECK(wait() < 95ms);
}

TEST_CASE("closing wakes everyone who waits", "[kube][queue]")
{
    world w;
    task_group tasks(w.context.get_executor(), logger());
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        tasks.spawn("waiter", count_ends(w.queue, ended));
    w.context.poll();
    w.queue.close();
    test::run(w.context, tasks.join());
    CHECK(ended == 3);
    w.queue.add(w.a);
    CHECK_FALSE(w.get().has_value());
}
