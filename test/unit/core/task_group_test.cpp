#include "catch.hpp"
#include "run.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/core/stop_signal.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <vector>

using namespace portitor;
using namespace std::chrono_literals;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

constexpr auto forever = std::chrono::milliseconds(1h);

struct fixture
{
    asio::io_context context;
    std::vector<std::string> failures;
    task_group tasks{
        context.get_executor(),
        logger(log_level::error, log_format::text),
        [this](const std::string& task, const std::string& what) { failures.push_back(task + ": " + what); }};

    void join() { run(context, tasks.join()); }
};

asio::awaitable<void> note(std::vector<int>& into, int value, std::chrono::milliseconds delay)
{
    co_await sleep_for(delay);
    into.push_back(value);
}

asio::awaitable<void> throw_after(std::chrono::milliseconds delay, std::string what)
{
    co_await sleep_for(delay);
    throw std::runtime_error(what);
}

asio::awaitable<void> say_goodbye(bool& said)
{
    try
    {
        co_await sleep_for(forever);
    }
    catch (const boost::system::system_error& thrown)
    {
        said = thrown.code() == asio::error::operation_aborted;
        throw;
    }
}

asio::awaitable<void> spawn_another(task_group& tasks, std::vector<int>& into)
{
    co_await sleep_for(5ms);
    tasks.spawn("second", note(into, 2, 5ms));
    into.push_back(1);
}

asio::awaitable<result<int>> answer_after(std::chrono::milliseconds delay, result<int> answer)
{
    co_await sleep_for(delay);
    co_return answer;
}

// As network code does: a cancelled wait is a value, not an exception.
asio::awaitable<result<int>> wait_for_peer()
{
    asio::steady_timer timer(co_await asio::this_coro::executor, forever);
    auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec)
        co_return fail(errc::canceled, "canceled");
    co_return 1;
}

asio::awaitable<void> ask_with_deadline(asio::awaitable<result<int>> question, std::vector<errc>& answers)
{
    const auto answer = co_await with_deadline(std::move(question), forever, "asking");
    answers.push_back(answer ? errc{} : answer.error().code());
}

asio::awaitable<void> wait_for(stop_signal& end, int& woken)
{
    co_await end.wait();
    ++woken;
}

}  // namespace

TEST_CASE("join waits for every task", "[core][task_group]")
{
    fixture f;
    std::vector<int> done;
    f.tasks.spawn("slow", note(done, 2, 30ms));
    f.tasks.spawn("quick", note(done, 1, 5ms));
    CHECK(f.tasks.size() == 2);
    f.join();
    CHECK(done == std::vector<int>{1, 2});
    CHECK(f.tasks.size() == 0);
    f.join();  // with nothing left, at once
    CHECK(f.failures.empty());
}

TEST_CASE("join waits for tasks that tasks spawn", "[core][task_group]")
{
    fixture f;
    std::vector<int> done;
    f.tasks.spawn("first", spawn_another(f.tasks, done));
    f.join();
    CHECK(done == std::vector<int>{1, 2});
}

TEST_CASE("cancel ends tasks at their suspension and is no failure", "[core][task_group]")
{
    fixture f;
    bool said = false;
    std::vector<int> done;
    f.tasks.spawn("waiting", say_goodbye(said));
    f.tasks.spawn("noting", note(done, 1, forever));
    f.context.poll();
    f.tasks.cancel();
    f.join();
    CHECK(said);
    CHECK(done.empty());
    CHECK(f.failures.empty());
}

TEST_CASE("an exception in a task is reported with its name, and the others go on", "[core][task_group]")
{
    fixture f;
    std::vector<int> done;
    f.tasks.spawn("broken", throw_after(1ms, "an invariant"));
    f.tasks.spawn("whole", note(done, 1, 20ms));
    f.join();
    CHECK(f.failures == std::vector<std::string>{"broken: an invariant"});
    CHECK(done == std::vector<int>{1});
}

TEST_CASE("an answer within the deadline is handed on, error or not", "[core][deadline]")
{
    asio::io_context context;
    const auto good = run(context, with_deadline(answer_after(1ms, 7), 2s, "asking"));
    REQUIRE(good.has_value());
    CHECK(*good == 7);
    const auto before = std::chrono::steady_clock::now();
    const auto bad = run(context, with_deadline(answer_after(1ms, fail(errc::refused, "no")), 2s, "asking"));
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.error().code() == errc::refused);
    CHECK(std::chrono::steady_clock::now() - before < 1s);
}

TEST_CASE("no answer within the deadline is timed_out and names the question", "[core][deadline]")
{
    asio::io_context context;
    const auto answer = run(context, with_deadline(answer_after(forever, 7), 20ms, "asking the oracle"));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::timed_out);
    CHECK(answer.error().message().find("asking the oracle") != std::string::npos);
}

TEST_CASE("a deadline of the past is timed_out", "[core][deadline]")
{
    asio::io_context context;
    const auto answer = run(context, with_deadline(answer_after(forever, 7), -5ms, "asking"));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::timed_out);
}

TEST_CASE("canceling a task within a deadline is no failure", "[core][deadline][task_group]")
{
    fixture f;
    std::vector<errc> answers;
    f.tasks.spawn("throws", ask_with_deadline(answer_after(forever, 7), answers));
    f.tasks.spawn("returns", ask_with_deadline(wait_for_peer(), answers));
    f.context.poll();
    f.tasks.cancel();
    f.join();
    CHECK(f.failures.empty());
    for (const errc each : answers)
        CHECK(each == errc::canceled);
}

TEST_CASE("the stop signal wakes all who wait, before and after", "[core][stop_signal]")
{
    fixture f;
    stop_signal end(f.context.get_executor());
    int woken = 0;
    f.tasks.spawn("one", wait_for(end, woken));
    f.tasks.spawn("two", wait_for(end, woken));
    f.context.poll();
    CHECK(woken == 0);
    CHECK_FALSE(end.requested());
    end.request();
    f.join();
    CHECK(woken == 2);
    f.tasks.spawn("late", wait_for(end, woken));
    f.join();
    CHECK(woken == 3);
}

TEST_CASE("the first exit code that is not zero stays", "[core][stop_signal]")
{
    asio::io_context context;
    stop_signal end(context.get_executor());
    end.request();
    CHECK(end.exit_code() == 0);
    end.request(3);
    end.request(4);
    end.request(0);
    CHECK(end.exit_code() == 3);
}
