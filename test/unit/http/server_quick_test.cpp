#include "server_fixture.hpp"

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Answers what is below /quick; "/quick/throw" throws in the middle of its answer, "/quick/leave" leaves it
// to the coroutine, "/quick/unfinished" forgets to finish it, "/quick/large" is 100 kB.
bool quick(const server_request& message, response_writer& out)
{
    const std::string_view target = message.target();
    if (!target.starts_with("/quick"))
        return false;
    out.status(200);
    out.header("X-Quick", "yes");
    if (target == "/quick/throw")
        throw std::runtime_error("a secret detail");
    if (target == "/quick/unfinished")
        return true;
    if (target == "/quick/large")
        out.finish(std::string(100'000, 'x'));
    else
        out.finish(fmt::format("quick {} {}", target, message.body()));
    return target != "/quick/leave";
}

constexpr const char* last = "Connection: close\r\n";

}  // namespace

TEST_CASE("what is answered at once needs no coroutine", "[core][http_server]")
{
    server_fixture f({}, quick);
    auto line = f.connect();
    for (int i = 0; i < 3; ++i)
    {
        run(f.context, line->send(post("/quick", "body")));
        const std::string answer = run(f.context, line->read_message());
        CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nX-Quick: yes\r\n"));
        CHECK(has(answer, "Connection: keep-alive\r\n"));
        CHECK(answer.ends_with("\r\n\r\nquick /quick body"));
    }
    CHECK(f.requests == 0);
}

TEST_CASE("a request that is left for later is answered by the coroutine alone", "[core][http_server]")
{
    server_fixture f({}, quick);
    const auto* target = GENERATE("/other", "/quick/leave");
    const std::string answer = f.exchange(get(target, last));
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.ends_with(fmt::format("\r\n\r\nGET {} ", target)));
    CHECK_FALSE(has(answer, "X-Quick"));
    CHECK(f.requests == 1);
    CHECK(f.delivered == std::vector{true});
}

TEST_CASE("a handler that forgets its answer is 500, at once and later", "[core][http_server]")
{
    server_fixture f({}, quick);
    const auto* target = GENERATE("/quick/unfinished", "/unfinished", "/throw");
    const std::string answers = f.exchange(get(target) + get("/quick", last));
    CHECK(answers.starts_with("HTTP/1.1 500 "));
    CHECK(count_of(answers, "HTTP/1.1 ") == 2);
    CHECK(answers.ends_with("quick /quick "));
    // It has bought nothing.
    CHECK(std::count(f.delivered.begin(), f.delivered.end(), true) == 0);
}

TEST_CASE("an answer that is written during a drain says that it is the last", "[core][http_server]")
{
    server_fixture f({}, quick);
    auto line = f.connect();
    run(f.context, line->send(get("/held")));
    run_until(f.context, [&] { return f.requests == 1; });
    f.tasks.spawn("drain", f.served->drain(4s));
    run(f.context, sleep_for(5ms));
    f.held.open();
    CHECK(has(run(f.context, line->read_to_end()), "Connection: close\r\n"));
}

TEST_CASE(
    "a handler that throws at once is 500 without details, and the connection goes on", "[core][http_server]"
)
{
    server_fixture f({}, quick);
    const std::string answers = f.exchange(get("/quick") + get("/quick/throw") + get("/quick", last));
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 2);
    CHECK(count_of(answers, "HTTP/1.1 500 ") == 1);
    CHECK(count_of(answers, "X-Quick") == 2);
    CHECK_FALSE(has(answers, "secret"));
}

TEST_CASE("quick answers and the handler's keep their order on a pipelined connection", "[core][http_server]")
{
    server_fixture f({}, quick);
    std::string all;
    for (int i = 0; i < 40; ++i)
        all +=
            i % 3 == 0 ? post(fmt::format("/slow{:03}", i), "s") : post(fmt::format("/quick{:03}", i), "q");
    const std::string answers = f.exchange(all + get("/quick/end", last));
    std::size_t at = 0;
    for (int i = 0; i < 40; ++i)
    {
        const std::string wanted =
            i % 3 == 0 ? fmt::format("POST /slow{:03} s", i) : fmt::format("quick /quick{:03} q", i);
        const auto found = answers.find(wanted);
        CAPTURE(wanted);
        REQUIRE(found != answers.npos);
        CHECK(found >= at);
        at = found;
    }
    CHECK(answers.ends_with("quick /quick/end "));
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 41);
    CHECK(f.requests == 14);
}

TEST_CASE("a thousand requests in one write are answered in order", "[core][http_server]")
{
    const bool at_once = GENERATE(true, false);
    server_fixture f({}, at_once ? quick : nullptr);
    std::string all;
    for (int i = 0; i < 1000; ++i)
        all += get(fmt::format("/quick/{:04}", i));
    const std::string answers = f.exchange(all + get("/quick/end", last));
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 1001);
    std::size_t at = 0;
    for (int i = 0; i < 1000 && at != answers.npos; ++i)
        at = answers.find(fmt::format("/quick/{:04} ", i), at);
    CHECK(at != answers.npos);
    CHECK(f.requests == (at_once ? 0 : 1001));
}

TEST_CASE("nothing is answered before the whole request is there", "[core][http_server]")
{
    server_fixture f({}, quick);
    auto line = f.connect();
    for (const char byte : post("/quick", "drip") + get("/quick/second"))
    {
        run(f.context, line->send(std::string(1, byte)));
        f.context.restart();
        f.context.poll();
    }
    CHECK(run(f.context, line->read_message()).ends_with("quick /quick drip"));
    CHECK(run(f.context, line->read_message()).ends_with("quick /quick/second "));
}

TEST_CASE("a quick answer to HEAD has no body", "[core][http_server]")
{
    server_fixture f({}, quick);
    const std::string answers =
        f.exchange("HEAD /quick HTTP/1.1\r\nHost: x\r\n\r\n" + get("/quick/next", last));
    CHECK(has(answers, "Content-Length: 13\r\n"));
    CHECK_FALSE(has(answers, "quick /quick \r"));
    CHECK(count_of(answers, "quick /quick") == 1);
    CHECK(answers.ends_with("quick /quick/next "));
}

TEST_CASE("answers that do not fit into the socket wait for their reader", "[core][http_server]")
{
    server_fixture f({}, quick);
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += get("/quick/large");
    auto line = f.connect();
    run(f.context, line->send(all + get("/quick/end", last)));
    run(f.context, sleep_for(50ms));
    const std::string answers = run(f.context, line->read_to_end());
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 201);
    CHECK(answers.ends_with("quick /quick/end "));
}

TEST_CASE("a request that stays half behind answers that had to wait is limited too", "[core][http_server]")
{
    server_limits limits;
    limits.read_request = 300ms;
    server_fixture f(limits, quick);
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += get("/quick/large");
    auto line = f.connect();
    run(f.context, line->send(all + "GET /quick/ha"));
    run(f.context, sleep_for(50ms));
    const std::string answers = run(f.context, line->read_to_end());
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 200);
    CHECK(count_of(answers, "HTTP/1.1 408 ") == 1);
}

TEST_CASE("a half-closed client reads its quick answers", "[core][http_server]")
{
    server_fixture f({}, quick);
    auto line = f.connect();
    run(f.context, line->send(get("/quick/1") + get("/quick/2")));
    line->close_sending();
    const std::string answers = run(f.context, line->read_to_end());
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 2);
    run_until(f.context, [&] { return f.served->connections() == 0; });
}

TEST_CASE("a drain lets quick answers that are being written finish", "[core][http_server]")
{
    server_fixture f({}, quick);
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += get("/quick/large");
    auto line = f.connect();
    run(f.context, line->send(all));
    run(f.context, sleep_for(50ms));
    f.tasks.spawn("drain", f.served->drain(4s));
    run(f.context, sleep_for(5ms));
    const std::string answers = run(f.context, line->read_to_end());
    // Those behind the one that says so are not answered.
    CHECK(count_of(answers, "HTTP/1.1 200 ") > 1);
    CHECK(count_of(answers, "Connection: close") == 1);
    CHECK(
        answers.size() == count_of(answers, "HTTP/1.1 200 ") * (100'000 + answers.find("\r\n\r\n") + 4) -
                              std::string("keep-alive").size() + std::string("close").size()
    );
}
