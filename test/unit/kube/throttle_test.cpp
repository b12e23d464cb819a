#include "catch.hpp"
#include "harness.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/throttle.hpp>

#include <map>
#include <memory>
#include <random>
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

throttle_settings limits_of(std::size_t in_flight, double per_second = 0, double burst = 100)
{
    throttle_settings out;
    out.most_in_flight = in_flight;
    out.per_second = per_second;
    out.burst = burst;
    return out;
}

struct fixture
{
    explicit fixture(throttle_settings settings) : limit(context.get_executor(), settings, time) {}
    ~fixture()
    {
        inside(context, [this] { tasks.cancel(); });
        inside(context, [this] { doomed.cancel(); });
        run(context, tasks.join());
        run(context, doomed.join());
    }

    asio::io_context context;
    manual_timekeeper time;
    throttle limit;
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::text)};
    task_group doomed{context.get_executor(), logger(log_level::error, log_format::text)};
    std::vector<std::string> got;  ///< in the order in which they were let through
    std::map<std::string, std::unique_ptr<throttle::permit>> held;

    asio::awaitable<void> acquire(std::string name, request_class urgency)
    {
        auto permit = co_await limit.acquire(urgency);
        got.push_back(name);
        held[name] = std::make_unique<throttle::permit>(std::move(permit));
    }

    // As a request does it: the permit goes when the request ends.
    asio::awaitable<void> use(std::string name, std::chrono::milliseconds duration)
    {
        const auto permit = co_await limit.acquire(request_class::normal);
        co_await time.sleep_for(duration);
        got.push_back(name);
    }

    void ask(const std::string& name, request_class urgency = request_class::normal)
    {
        tasks.spawn(name, acquire(name, urgency));
        settle(context);
    }
    void give_back(const std::string& name)
    {
        held.erase(name);
        settle(context);
    }
    void pass(std::chrono::milliseconds by)
    {
        time.advance(by);
        settle(context);
    }
};

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("only so many requests are in flight, the others in their order", "[kube][throttle]")
{
    fixture f(limits_of(2));
    for (const char* name : {"a", "b", "c", "d"})
        f.ask(name);
    CHECK(f.got == names{"a", "b"});
    f.give_back("b");
    CHECK(f.got == names{"a", "b", "c"});
    f.give_back("a");
    f.give_back("c");
    CHECK(f.got == names{"a", "b", "c", "d"});
    f.ask("e");
    CHECK(f.held.size() == 2);
    f.ask("f");
    CHECK(f.held.size() == 2);
}

TEST_CASE("the more urgent goes first, and a lease at once", "[kube][throttle]")
{
    fixture f(limits_of(1));
    f.ask("a");
    f.ask("normal 1");
    f.ask("normal 2");
    f.ask("status 1", request_class::status);
    f.ask("status 2", request_class::status);
    f.ask("lease", request_class::lease);
    CHECK(f.got == names{"a", "lease"});
    // It takes nobody's place, nor does it leave one.
    f.give_back("lease");
    CHECK(f.got == names{"a", "lease"});
    f.give_back("a");
    f.give_back("status 1");
    f.give_back("status 2");
    f.give_back("normal 1");
    CHECK(f.got == names{"a", "lease", "status 1", "status 2", "normal 1", "normal 2"});
}

TEST_CASE("without a rate only the number in flight counts", "[kube][throttle]")
{
    fixture f(limits_of(1000));
    for (int i = 0; i < 500; ++i)
        f.ask(std::to_string(i));
    CHECK(f.got.size() == 500);
}

TEST_CASE("so many per second, after a burst", "[kube][throttle]")
{
    fixture f(limits_of(100, 2, 3));
    for (const char* name : {"a", "b", "c", "d", "e", "f"})
        f.ask(name);
    CHECK(f.got == names{"a", "b", "c"});
    f.ask("lease", request_class::lease);
    CHECK(f.got.size() == 4);
    f.pass(490ms);
    CHECK(f.got.size() == 4);
    f.pass(11ms);
    CHECK(f.got == names{"a", "b", "c", "lease", "d"});
    // Nothing is free of charge: giving back is no new right.
    f.held.clear();
    f.pass(490ms);
    CHECK(f.got.size() == 5);
    f.pass(12ms);
    CHECK(f.got.size() == 6);
    f.pass(500ms);
    CHECK(f.got == names{"a", "b", "c", "lease", "d", "e", "f"});
    // A quiet time saves up no more than the burst.
    f.pass(1h);
    for (int i = 0; i < 10; ++i)
        f.ask(std::to_string(i));
    CHECK(f.got.size() == 10);
}

TEST_CASE("a status overtakes the others that wait for their second", "[kube][throttle]")
{
    fixture f(limits_of(100, 1, 1));
    f.ask("a");
    f.ask("normal");
    f.pass(500ms);
    f.ask("status", request_class::status);
    f.pass(502ms);
    CHECK(f.got == names{"a", "status"});
    f.pass(1001ms);
    CHECK(f.got == names{"a", "status", "normal"});
}

TEST_CASE("one that has waited for a connection may still have to wait for its second", "[kube][throttle]")
{
    fixture f(limits_of(1, 1, 1));
    f.ask("a");
    f.ask("b");
    f.give_back("a");
    CHECK(f.got == names{"a"});
    f.pass(1001ms);
    CHECK(f.got == names{"a", "b"});
    f.ask("c");
    f.pass(10s);
    CHECK(f.got == names{"a", "b"});
    f.give_back("b");
    CHECK(f.got == names{"a", "b", "c"});
}

TEST_CASE("who is canceled leaves the queue", "[kube][throttle]")
{
    fixture f(limits_of(1));
    f.ask("a");
    f.doomed.spawn("gone", f.acquire("gone", request_class::status));
    settle(f.context);
    f.ask("b");
    inside(f.context, [&] { f.doomed.cancel(); });
    CHECK(f.doomed.size() == 0);
    f.give_back("a");
    CHECK(f.got == names{"a", "b"});
}

TEST_CASE("who is canceled in the moment of being let through passes it on", "[kube][throttle]")
{
    fixture f(limits_of(1));
    f.ask("a");
    f.doomed.spawn("gone", f.use("gone", 1ms));
    settle(f.context);
    f.ask("b");
    SECTION("the permit comes first")
    {
        inside(f.context, [&] {
            f.held.erase("a");
            f.doomed.cancel();
        });
    }
    SECTION("the cancellation comes first")
    {
        inside(f.context, [&] {
            f.doomed.cancel();
            f.held.erase("a");
        });
    }
    CHECK(f.doomed.size() == 0);
    CHECK(f.got == names{"a", "b"});
}

TEST_CASE("whoever is canceled and when, no permit is lost and none is made up", "[kube][throttle]")
{
    const double per_second = GENERATE(0.0, 50.0);
    fixture f(limits_of(3, per_second, 5));
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round)
    {
        for (unsigned i = random() % 4; i > 0; --i)
        {
            const std::chrono::milliseconds duration(random() % 30);
            auto& group = random() % 2 ? f.tasks : f.doomed;
            group.spawn("some", f.use("some", duration));
        }
        if (random() % 2)
            settle(f.context);
        f.time.advance(std::chrono::milliseconds(random() % 40));
        if (random() % 2)
            f.context.poll_one();
        if (random() % 3 == 0)
            inside(f.context, [&] { f.doomed.cancel(); });
        settle(f.context);
    }
    inside(f.context, [&] { f.doomed.cancel(); });
    for (int i = 0; i < 1000 && f.tasks.size() > 0; ++i)
        f.pass(100ms);
    CHECK(f.tasks.size() == 0);
    CHECK(f.doomed.size() == 0);
    f.pass(10s);
    f.got.clear();
    for (const char* name : {"a", "b", "c", "d"})
        f.ask(name);
    CHECK(f.got == names{"a", "b", "c"});
}
