#include "server_fixture.hpp"

#include <boost/asio/connect.hpp>

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

bool answer_all(const server_request&, response_writer& out)
{
    out.status(200);
    out.finish("quick");
    return true;
}

asio::awaitable<void> drip(std::shared_ptr<wire> line, std::string bytes, int* sent)
{
    for (const char each : bytes)
    {
        co_await sleep_for(20ms);
        const bool good = co_await line->send(std::string(1, each));
        if (!good)
            co_return;
        ++*sent;
    }
}

}  // namespace

TEST_CASE("a header or body that drips is 408 in time, however often a byte comes", "[core][http_server]")
{
    server_limits limits;
    limits.read_request = 400ms;
    server_fixture f(limits);
    const bool in_body = GENERATE(false, true);
    const std::shared_ptr<wire> line = f.connect();
    if (in_body)
        run(f.context, line->send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"));
    const auto before = std::chrono::steady_clock::now();
    int sent = 0;
    f.tasks.spawn("drip", drip(line, "GET / HTTP/1.1\r\nX: " + std::string(180, 'x'), &sent));
    const std::string answer = run(f.context, line->read_to_end());
    const auto took = std::chrono::steady_clock::now() - before;
    CHECK(answer.starts_with("HTTP/1.1 408 "));
    CHECK(took > 300ms);
    CHECK(took < 1500ms);
    CHECK(f.requests == 0);
    line->close();
}

TEST_CASE("the time of a request begins with its first byte", "[core][http_server]")
{
    server_limits limits;
    limits.read_request = 300ms;
    server_fixture f(limits);
    auto line = f.connect();
    for (int i = 0; i < 3; ++i)
    {
        run(f.context, sleep_for(400ms));
        run(f.context, line->send(get("/x")));
        CHECK(run(f.context, line->read_message()).ends_with("GET /x "));
    }
}

TEST_CASE("the time of a handler is not limited", "[core][http_server]")
{
    server_limits limits;
    limits.read_request = limits.write_reply = limits.idle = 100ms;
    server_fixture f(limits);
    auto line = f.connect();
    run(f.context, line->send(get("/held")));
    run(f.context, sleep_for(400ms));
    f.held.open();
    CHECK(run(f.context, line->read_message()).ends_with("GET /held "));
    CHECK(f.delivered == std::vector<bool>{true});
}

TEST_CASE("a client that never reads its answer is dropped", "[core][http_server]")
{
    server_limits limits;
    limits.write_reply = 200ms;
    limits.read_request = 200ms;
    server_fixture f(limits);
    auto line = f.connect();
    run(f.context, line->send(get("/large")));
    const auto before = std::chrono::steady_clock::now();
    run_until(f.context, [&] { return !f.delivered.empty(); });
    CHECK(std::chrono::steady_clock::now() - before < 3s);
    run_until(f.context, [&] { return f.served->connections() == 0; });
    CHECK(f.delivered == std::vector<bool>{false});
}

TEST_CASE("each handler hears once what became of its answer", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    SECTION("the client goes while it is written")
    {
        run(f.context, line->send(get("/large")));
        run_until(f.context, [&] { return f.requests == 1; });
        run(f.context, sleep_for(20ms));
        line->reset();
        run_until(f.context, [&] { return !f.delivered.empty(); });
        CHECK(f.delivered == std::vector<bool>{false});
    }
    SECTION("a drain runs out of time while it is written")
    {
        run(f.context, line->send(get("/large")));
        run_until(f.context, [&] { return f.requests == 1; });
        run(f.context, f.served->drain(50ms));
        CHECK(f.delivered == std::vector<bool>{false});
        CHECK(f.served->connections() == 0);
    }
    SECTION("the client has gone, and others' answers arrive")
    {
        run(f.context, line->send(get("/held")));
        run_until(f.context, [&] { return f.requests == 1; });
        line->close();
        auto other = f.connect();
        run(f.context, other->send(get("/other")));
        run(f.context, other->read_message());
        CHECK(f.delivered == std::vector<bool>{true});
        f.held.open();
        run_until(f.context, [&] { return f.delivered.size() > 1; });
        CHECK(f.delivered == std::vector<bool>{true, false});
    }
    SECTION("another one behind it throws")
    {
        run(f.context, line->send(get("/a") + get("/throw") + get("/b", "Connection: close\r\n")));
        run(f.context, line->read_to_end());
        CHECK(f.delivered == std::vector<bool>{true, true});
    }
    SECTION("the answer to an earlier request was not read: the later one is not even asked for")
    {
        run(f.context, line->send(get("/large") + get("/later")));
        run_until(f.context, [&] { return f.requests == 1; });
        line->reset();
        run_until(f.context, [&] { return f.served->connections() == 0; });
        CHECK(f.requests == 1);
        CHECK(f.delivered == std::vector<bool>{false});
    }
    run(f.context, sleep_for(20ms));
    CHECK(f.delivered.size() <= 2);
}

// A handler that does not notice that it is canceled still learns that its answer went nowhere.
TEST_CASE("an answer that comes after the drain's limit is not delivered", "[core][http_server]")
{
    asio::io_context context;
    std::vector<bool> delivered;
    bool asked = false;
    struct local
    {
        static asio::awaitable<reply> stubborn(std::vector<bool>& delivered, bool& asked)
        {
            co_await asio::this_coro::throw_if_cancelled(false);
            asked = true;
            asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
            boost::system::error_code ignored;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            co_return reply(make_response(status::ok, "late"), [&delivered](bool arrived) {
                delivered.push_back(arrived);
            });
        }
    };
    server served(context, logger(log_level::error, log_format::json), [&](const server_request&) {
        return local::stubborn(delivered, asked);
    });
    REQUIRE(served.listen("127.0.0.1:0").has_value());
    task_group tasks(context.get_executor(), logger());
    tasks.spawn("server", served.run());
    auto line = run(context, connect_wire(served.port()));
    run(context, line->send(get("/x")));
    run_until(context, [&] { return asked; });
    run(context, served.drain(20ms));
    run(context, tasks.join());
    CHECK(delivered == std::vector<bool>{false});
    CHECK(run(context, line->at_end()));
}

TEST_CASE("a refused client that still sends reads why", "[core][http_server]")
{
    server_limits limits;
    limits.max_body = 1000;
    server_fixture f(limits);
    const std::string answer = f.exchange(post("/", std::string(3'000'000, 'x')));
    CHECK(answer.starts_with("HTTP/1.1 413 "));
    CHECK(f.requests == 0);
}

TEST_CASE("a refused client that stays is dropped soon, and no drain waits for it", "[core][http_server]")
{
    server_limits limits;
    SECTION("dropped")
    {
        limits.read_request = 200ms;
        server_fixture f(limits);
        auto line = f.connect();
        run(f.context, line->send("garbage\r\n\r\n"));
        CHECK(run(f.context, line->read_message()).starts_with("HTTP/1.1 400 "));
        run_until(f.context, [&] { return f.served->connections() == 0; });
    }
    SECTION("drained")
    {
        server_fixture f(limits);
        auto line = f.connect();
        run(f.context, line->send("garbage\r\n\r\n"));
        CHECK(run(f.context, line->read_message()).starts_with("HTTP/1.1 400 "));
        CHECK(f.served->connections() == 1);
        const auto before = std::chrono::steady_clock::now();
        run(f.context, f.served->drain(3s));
        CHECK(std::chrono::steady_clock::now() - before < 500ms);
        CHECK(f.served->connections() == 0);
    }
}

TEST_CASE("a place above the limit of connections is free again when one ends", "[core][http_server]")
{
    server_limits limits;
    limits.max_connections = 2;
    server_fixture f(limits);
    std::vector<std::unique_ptr<wire>> lines;
    for (int i = 0; i < 2; ++i)
        lines.push_back(f.connect());
    run_until(f.context, [&] { return f.served->connections() == 2; });
    CHECK(run(f.context, f.connect()->at_end()));
    CHECK(f.served->connections() == 2);
    lines.pop_back();
    run_until(f.context, [&] { return f.served->connections() == 1; });
    auto next = f.connect();
    run(f.context, next->send(get("/next")));
    CHECK(run(f.context, next->read_message()).ends_with("GET /next "));
}

TEST_CASE("servers that share a port both serve, and no other takes it from them", "[core][http_server]")
{
    asio::io_context context{1};
    const logger log(log_level::error, log_format::json);
    int counts[2] = {0, 0};
    std::vector<std::unique_ptr<server>> all;
    task_group tasks(context.get_executor(), log);
    std::uint16_t port = 0;
    for (int& count : counts)
    {
        auto quick = [&count](const server_request& message, response_writer& out) {
            ++count;
            answer_all(message, out);
            return std::optional<pending_answer>();
        };
        all.push_back(std::make_unique<server>(context, log, quick));
        REQUIRE(all.back()->listen("127.0.0.1:" + std::to_string(port), true).has_value());
        port = all.back()->port();
        tasks.spawn("server", all.back()->run());
    }
    server third(context, log, handler());
    const auto refused = third.listen("127.0.0.1:" + std::to_string(port));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == errc::refused);

    for (int i = 0; i < 64; ++i)
    {
        auto line = run(context, connect_wire(port));
        run(context, line->send(get("/x")));
        REQUIRE(run(context, line->read_message()).ends_with("quick"));
    }
    CHECK(counts[0] + counts[1] == 64);
    CHECK(counts[0] > 0);
    CHECK(counts[1] > 0);
    // One that goes leaves its share to the other.
    run(context, all[0]->drain(1s));
    counts[1] = 0;
    for (int i = 0; i < 10; ++i)
    {
        auto line = run(context, connect_wire(port));
        run(context, line->send(get("/x")));
        REQUIRE(run(context, line->read_message()).ends_with("quick"));
    }
    CHECK(counts[1] == 10);
    run(context, all[1]->drain(1s));
    run(context, tasks.join());
}

TEST_CASE("a server that is drained before it runs ends at once", "[core][http_server]")
{
    asio::io_context context{1};
    server served(context, logger(), handler());
    REQUIRE(served.listen("127.0.0.1:0").has_value());
    run(context, served.drain(1s));
    run(context, served.run());
    CHECK(served.connections() == 0);
}

#if defined(NDEBUG)
TEST_CASE("a connection that idles holds little memory", "[core][http_server]")
{
    constexpr int many = 200;  // with both ends here, 400 descriptors
    server_fixture f({}, answer_all);
    const auto address = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), f.served->port());
    std::vector<int> lines;
    const auto open_and_ask = [&](std::size_t count) {
        const std::string text = get("/x", "X-Filler: " + std::string(3000, 'x') + "\r\n");
        while (lines.size() < count)
        {
            const int line = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            REQUIRE(line >= 0);
            lines.push_back(line);
            REQUIRE(::connect(line, address.data(), static_cast<socklen_t>(address.size())) == 0);
            REQUIRE(::send(line, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
        }
        for (int line : lines)
        {
            char answer[1000];
            run_until(f.context, [&] {
                return ::recv(line, answer, sizeof answer, MSG_DONTWAIT | MSG_PEEK) > 0;
            });
        }
        for (int i = 0; i < 100; ++i)
            f.context.poll();
    };
    open_and_ask(4);  // what is made once
    lines.reserve(many);
    const std::size_t before = ::mallinfo2().uordblks;
    open_and_ask(many);
    const std::size_t after = ::mallinfo2().uordblks;
    CHECK(f.served->connections() == many);
    const std::size_t each = (after - before) / (many - 4);
    CAPTURE(each);
    // What a session is, what its coroutine keeps, and the first bytes of a request; no input, no output.
    CHECK(each < 6 * 1024);
    for (int line : lines)
        ::close(line);
}
#endif
