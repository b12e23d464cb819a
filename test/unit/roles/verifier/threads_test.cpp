#include "verifier_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <latch>
#include <map>
#include <mutex>
#include <thread>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

constexpr int thread_count = 4;
constexpr int copies_each = 4;

/// The gate on a thread of its own, and fronts on others, as the verifier runs them.
struct counter_hall
{
    counter_side counter;
    std::set<std::string> urls{facilitator_url};
    credential_store credentials{{}};
    cors_policy cors{""};
    metrics numbers;
    published<route_table> table{first_table()};
    std::mutex mutex;
    std::vector<http::response> answers;  // under the mutex

    std::shared_ptr<const route_table> first_table()
    {
        auto made = std::make_shared<table_entry>();
        made->route =
            served_route::compile(*route_object(), {x402::samples::networks(), urls, credentials}).value();
        made->counters = std::make_shared<route_counters>(numbers, made->route->key());
        return std::make_shared<const route_table>(route_table().with(std::move(made)).completed());
    }

    /// Each of the threads asks each of its questions at once, and tells how the answer went.
    void run(const std::vector<question>& asked, bool delivered = true)
    {
        auto busy = asio::make_work_guard(counter.context);
        std::thread gate([this] { counter.context.run(); });
        std::latch ready(thread_count);
        std::vector<std::thread> fronts;
        for (int i = 0; i < thread_count; ++i)
            fronts.emplace_back([&] { serve(asked, delivered, ready); });
        for (std::thread& each : fronts)
            each.join();
        busy.reset();
        gate.join();
        counter.context.restart();
    }

    std::map<unsigned, int> codes() const
    {
        std::map<unsigned, int> out;
        for (const http::response& each : answers)
            ++out[each.result_int()];
        return out;
    }

private:
    void serve(const std::vector<question>& asked, bool delivered, std::latch& ready)
    {
        asio::io_context context{1};
        forward_auth front(table, counter.counter, cors, logger(log_level::error, log_format::text), numbers);
        for (const question& each : asked)
            asio::co_spawn(context, ask(front, each, delivered), asio::detached);
        ready.arrive_and_wait();
        context.run();
    }

    asio::awaitable<void> ask(forward_auth& front, const question& asked, bool delivered)
    {
        http::server_request message;
        asked.write(message);
        http::response answer;
        co_await answer_as_server(front, message, delivered, answer);
        note(std::move(answer));
    }

    void note(http::response answer)
    {
        const std::lock_guard lock(mutex);
        answers.push_back(std::move(answer));
    }
};

question paying(const json::object& message)
{
    return question(top, {{"X-PAYMENT", x402::samples::encode(message)}});
}

}  // namespace

TEST_CASE("of copies that arrive on several threads at once one gets in", "[verifier][threads]")
{
    for (int round = 0; round < 10; ++round)
    {
        counter_hall hall;
        hall.counter.facilitator.delay = milliseconds(round % 3);
        const std::vector<question> copies(copies_each, paying(v1_message(1)));
        hall.run(copies);
        REQUIRE(hall.answers.size() == thread_count * copies_each);
        CHECK(hall.codes() == std::map<unsigned, int>{{200, 1}, {409, 15}});
        CHECK(hall.counter.facilitator.verifies == 1);
        CHECK(hall.counter.facilitator.settles == 1);
        CHECK(hall.counter.spent() == 1);
    }
}

TEST_CASE("an answer that is lost on one thread lets one copy on any thread through", "[verifier][threads]")
{
    counter_hall hall;
    const std::vector<question> copies(copies_each, paying(v1_message(1)));
    hall.run(copies, false);
    // All of them are lost, so all of them are let through, one after the other.
    CHECK(hall.codes() == std::map<unsigned, int>{{200, 16}});
    CHECK(hall.counter.facilitator.settles == 1);
    CHECK(hall.counter.count(x402::payment_state::settled) == 1);
    hall.answers.clear();
    hall.run(copies);
    CHECK(hall.codes() == std::map<unsigned, int>{{200, 1}, {409, 15}});
    CHECK(hall.counter.facilitator.settles == 1);
}

TEST_CASE("payments and other questions on all threads, while the routes change", "[verifier][threads]")
{
    counter_hall hall;
    std::vector<question> asked;
    for (unsigned i = 0; i < 40; ++i)
    {
        asked.push_back(paying(v1_message(i)));
        asked.emplace_back(top);
        asked.emplace_back("/services/hello/free/x");
        asked.push_back(paying(v1_message(i, stranger())));
    }
    std::atomic<bool> over{false};
    std::thread writer([&] {
        const std::shared_ptr<const route_table> first = hall.first_table();
        while (!over)
        {
            auto made = std::make_shared<table_entry>(*first->find("shop/hello"));
            made->route = served_route::compile(
                              *route_object(), {x402::samples::networks(), hall.urls, hall.credentials}
            )
                              .value();
            hall.table.set(std::make_shared<const route_table>(first->with(std::move(made))));
        }
    });
    hall.run(asked);
    over = true;
    writer.join();
    auto codes = hall.codes();
    // Of those with a wrong signature some are put off: only so many payers are looked up at once.
    CHECK(codes[402] >= 4 * 40);
    CHECK(codes[402] + codes[503] == 2 * 4 * 40);
    CHECK(codes[200] == 40 + 4 * 40);
    CHECK(codes[409] == 3 * 40);
    CHECK(codes.size() <= 4);
    CHECK(hall.counter.facilitator.verifies == 40);
    CHECK(hall.counter.facilitator.settles == 40);
}
