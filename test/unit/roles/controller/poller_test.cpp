#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "roles/controller/poller.hpp"

#include <boost/asio/io_context.hpp>

using namespace portitor;
using namespace std::chrono_literals;

namespace {

using number_poller = controller::poller<std::string, int>;

const kube::object_key hello{"shop", "hello"};
const kube::object_key other{"shop", "other"};

struct fixture
{
    boost::asio::io_context context;
    test::manual_timekeeper time;
    task_group tasks{context.get_executor(), logger(log_level::error, log_format::json)};
    std::vector<std::string> asked;
    std::vector<std::string> heard;
    int answer = 1;
    number_poller questions{
        "test",
        tasks,
        time,
        2,
        [this](const std::string& about, int before) { return ask(about, before); },
        [this](const kube::object_key& offer) { heard.push_back(offer.to_string()); },
        402};

    boost::asio::awaitable<number_poller::finding> ask(std::string about, int before)
    {
        asked.push_back(about + " after " + std::to_string(before));
        co_return number_poller::finding(answer, 10s);
    }

    void pass(std::chrono::milliseconds by)
    {
        time.advance(by);
        run();
    }

    void run()
    {
        context.restart();
        context.poll();
    }

    ~fixture()
    {
        tasks.cancel();
        run();
    }
};

}  // namespace

TEST_CASE("a poller asks at once, then when the answer says, and tells only news", "[controller][poller]")
{
    fixture f;
    f.questions.watch(hello, "a");
    CHECK(f.questions.latest(hello) == 0);
    f.run();
    CHECK(f.asked == std::vector<std::string>{"a after 0"});
    CHECK(f.questions.latest(hello) == 1);
    CHECK(f.heard == std::vector<std::string>{"shop/hello"});

    f.pass(8s);
    CHECK(f.asked.size() == 1);
    f.pass(4s);  // ten seconds, give or take one
    CHECK(f.asked.size() == 2);
    CHECK(f.asked.back() == "a after 1");
    CHECK(f.heard.size() == 1);
    f.answer = 2;
    f.pass(12s);
    CHECK(f.heard.size() == 2);
    CHECK(f.questions.latest(hello) == 2);
}

TEST_CASE("another target is asked from the beginning, the same one goes on", "[controller][poller]")
{
    fixture f;
    f.questions.watch(hello, "a");
    f.run();
    f.questions.watch(hello, "a");
    f.run();
    CHECK(f.asked.size() == 1);
    f.questions.watch(hello, "b");
    CHECK(f.questions.latest(hello) == 0);
    f.run();
    CHECK(f.asked.back() == "b after 0");
    f.pass(12s);
    CHECK(f.asked == std::vector<std::string>{"a after 0", "b after 0", "b after 1"});
}

TEST_CASE("offers that want to know the same share one question", "[controller][poller]")
{
    fixture f;
    f.questions.watch(hello, "a");
    f.run();
    f.questions.watch(other, "a");
    CHECK(f.questions.latest(other) == 1);
    f.run();
    CHECK(f.asked.size() == 1);

    f.answer = 2;
    f.pass(12s);
    CHECK(f.asked.size() == 2);
    CHECK(f.heard == std::vector<std::string>{"shop/hello", "shop/hello", "shop/other"});

    // It is asked for as long as one of them wants it.
    f.questions.forget(hello);
    f.pass(12s);
    CHECK(f.asked.size() == 3);
    CHECK(f.questions.latest(hello) == 0);
    CHECK(f.questions.latest(other) == 2);
    f.questions.forget(other);
    f.pass(12s);
    CHECK(f.asked.size() == 3);
    f.questions.watch(hello, "a");
    CHECK(f.questions.latest(hello) == 0);
}

TEST_CASE("what is forgotten is not asked any more, and nothing stays of it", "[controller][poller]")
{
    fixture f;
    f.questions.watch(hello, "a");
    f.questions.watch(other, "b");
    f.run();
    f.questions.forget(hello);
    f.run();
    CHECK(f.questions.latest(hello) == 0);
    f.pass(12s);
    CHECK(f.asked.size() == 3);
    CHECK(f.asked.back() == "b after 1");
}

TEST_CASE("an answer that comes after its target was forgotten is dropped", "[controller][poller]")
{
    boost::asio::io_context context;
    test::manual_timekeeper time;
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::json));
    int heard = 0;
    const auto slowly = [&](const std::string&, int) -> boost::asio::awaitable<number_poller::finding> {
        co_await time.sleep_for(1s);
        co_return number_poller::finding(7, 10s);
    };
    number_poller questions(
        "test", tasks, time, 2, slowly, [&](const kube::object_key&) { ++heard; }, 402
    );
    questions.watch(hello, "a");
    context.poll();
    questions.forget(hello);
    time.advance(2s);
    context.restart();
    context.poll();
    CHECK(heard == 0);

    // Nor is it taken for the answer to the same question, asked anew.
    questions.watch(hello, "a");
    context.restart();
    context.poll();
    questions.forget(hello);
    questions.watch(hello, "a");
    time.advance(1s);
    context.restart();
    context.poll();
    CHECK(questions.latest(hello) == 0);
    time.advance(1s);
    context.restart();
    context.poll();
    CHECK(questions.latest(hello) == 7);
    CHECK(heard == 1);
    tasks.cancel();
    context.restart();
    context.poll();
}

TEST_CASE("a poller asks only so many questions at a time", "[controller][poller]")
{
    boost::asio::io_context context;
    test::manual_timekeeper time;
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::json));
    int open = 0;
    int most = 0;
    int answered = 0;
    const auto slowly = [&](const std::string&, int) -> boost::asio::awaitable<number_poller::finding> {
        most = std::max(most, ++open);
        co_await time.sleep_for(1s);
        --open;
        ++answered;
        co_return number_poller::finding(7, 1h);
    };
    number_poller questions(
        "test", tasks, time, 3, slowly, [](const kube::object_key&) {}, 402
    );
    for (int i = 0; i < 10; ++i)
        questions.watch({"shop", std::to_string(i)}, std::to_string(i));
    for (int i = 0; i < 10; ++i)
    {
        context.restart();
        context.poll();
        time.advance(1s);
    }
    CHECK(most == 3);
    CHECK(answered == 10);
    tasks.cancel();
    context.restart();
    context.poll();
}

TEST_CASE("offers of several namespaces share a question, on whosever share", "[controller][poller][shares]")
{
    boost::asio::io_context context;
    test::manual_timekeeper time;
    task_group tasks(context.get_executor(), logger(log_level::error, log_format::json));
    std::vector<std::string> asked;
    const auto slowly = [&](std::string about, int) -> boost::asio::awaitable<number_poller::finding> {
        asked.push_back(about);
        co_await time.sleep_for(5s);
        co_return number_poller::finding(7, 10s);
    };
    number_poller questions(
        "test", tasks, time, 8, slowly, [](const kube::object_key&) {}, 402
    );
    std::vector<std::pair<double, bool>> delays;
    questions.share_out(2, 1, [](const std::string& about) { return about.substr(0, 1); });
    questions.on_ask([&](std::chrono::nanoseconds late, bool own) {
        delays.emplace_back(std::chrono::duration<double>(late).count(), own);
    });
    const auto run = [&](std::chrono::milliseconds by) {
        time.advance(by);
        context.restart();
        context.poll();
    };
    for (const char* each : {"a1", "a2", "b1", "c1"})
        questions.watch({"slow", each}, each);
    run(0s);
    // Two of the namespace, and not both of the same group.
    CHECK(asked == std::vector<std::string>{"a1", "b1"});
    questions.watch({"quick", "mine"}, "q");
    questions.watch({"quick", "too"}, "c1");
    run(0s);
    CHECK(asked == std::vector<std::string>{"a1", "b1", "c1", "q"});
    questions.forget({"quick", "too"});
    run(5s);
    CHECK(asked.back() == "a2");
    REQUIRE(delays.size() == 5);
    CHECK(delays.back() == std::pair(5.0, true));
    CHECK_FALSE(delays[2].second);
    tasks.cancel();
    context.restart();
    context.poll();
}
