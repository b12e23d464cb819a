#pragma once

#include "catch.hpp"
#include "received.hpp"
#include "run.hpp"
#include "wire.hpp"

#include <portitor/http/server.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace portitor::test {

/// Holds back coroutines until it is opened.
class gate
{
public:
    explicit gate(boost::asio::io_context& context)
        : timer_(context, boost::asio::steady_timer::time_point::max())
    {}

    void open()
    {
        is_open_ = true;
        timer_.cancel();
    }

    boost::asio::awaitable<void> wait()
    {
        while (!is_open_)
        {
            boost::system::error_code ignored;
            co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
    }

private:
    boost::asio::steady_timer timer_;
    bool is_open_ = false;
};

/// Whether it has answered; else the answer is left to the fixture's own handler.
using quick_part = bool (*)(const http::server_request&, http::response_writer&);

/// A server on a port of its own, and what its handler saw.
struct server_fixture
{
    boost::asio::io_context context{1};
    // The handlers' complaints are no news here.
    logger log{log_level::error, log_format::json};
    gate held{context};
    int requests = 0;  // that the handler got
    std::vector<bool> delivered;
    std::vector<http::request> seen;
    std::unique_ptr<http::server> served;
    task_group tasks{context.get_executor(), log};

    explicit server_fixture(http::server_limits limits = {}, quick_part quick = nullptr)
    {
        if (quick != nullptr)
            served = std::make_unique<http::server>(
                context,
                log,
                [this, quick](const http::server_request& message, http::response_writer& out) {
                    return quick(message, out) ? std::nullopt : std::optional(answer_later(message, out));
                },
                limits
            );
        else
            served = std::make_unique<http::server>(
                context, log, [this](const http::server_request& message) { return answer(message); }, limits
            );
        REQUIRE(served->listen("127.0.0.1:0").has_value());
        tasks.spawn("server", served->run());
    }

    ~server_fixture()
    {
        held.open();
        run(context, finish());
    }

    boost::asio::awaitable<void> finish()
    {
        co_await served->drain(std::chrono::seconds(1));
        co_await tasks.join();
    }

    static constexpr std::size_t large = 16 * 1024 * 1024;

    // "/held" waits for the gate, "/throw" throws, "/large" does not fit into the sockets' buffers, anything
    // else is echoed. Nobody wants to know whether the answer to "/held/uncounted" arrives.
    boost::asio::awaitable<http::reply> answer(const http::server_request& message)
    {
        ++requests;
        seen.push_back(message_of(message));
        const std::string target(message.target());
        std::string body = fmt::format("{} {} {}", message.method_string(), target, message.body());
        if (target == "/throw")
            throw std::runtime_error("a secret detail");
        if (target.starts_with("/held"))
            co_await held.wait();
        if (target == "/never")
            co_await sleep_for(std::chrono::hours(1));
        if (target == "/large")
            body.assign(large, 'x');
        http::reply out(http::make_response(http::status::ok, std::move(body)));
        if (target != "/held/uncounted")
            out.on_written = [this](bool arrived) { delivered.push_back(arrived); };
        co_return out;
    }

    http::pending_answer answer_later(const http::server_request& message, http::response_writer& out)
    {
        http::reply made = co_await answer(message);
        out.status(made.message.result_int());
        if (message.target() != "/unfinished")
            out.finish(made.message.body());
        co_return std::move(made.on_written);
    }

    std::unique_ptr<wire> connect() { return run(context, connect_wire(served->port())); }

    // Sends on a new connection and returns all that comes until the server closes it.
    std::string exchange(std::string bytes)
    {
        auto line = connect();
        run(context, line->send(std::move(bytes)));
        return run(context, line->read_to_end());
    }
};

inline std::string get(const std::string& target, const std::string& more = "")
{
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body)
{
    return "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

inline std::size_t count_of(const std::string& text, const std::string& part)
{
    std::size_t out = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
        ++out;
    return out;
}

template <typename Condition>
void run_until(boost::asio::io_context& context, Condition condition)
{
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    context.restart();
    while (!condition() && std::chrono::steady_clock::now() < limit)
        context.run_one_for(std::chrono::milliseconds(10));
    CHECK(condition());
}

}  // namespace portitor::test
