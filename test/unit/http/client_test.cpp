#include "catch.hpp"
#include "run.hpp"
#include "wire.hpp"

#include <portitor/http/client.hpp>
#include <portitor/http/server.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::http;
using namespace std::chrono_literals;
using portitor::test::run;
using portitor::test::wire;
using portitor::test::wire_server;
namespace asio = boost::asio;

namespace {

std::string ok(const std::string& body, const std::string& more = "")
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" +
           body;
}

struct fixture
{
    asio::io_context context;
    std::vector<std::string> seen;
    std::unique_ptr<client> asking = make_client(context.get_executor(), client_settings()).value();
    std::unique_ptr<wire_server> peer;

    ~fixture()
    {
        asking.reset();
        if (peer)
            run(context, peer->stop());
    }

    // Reads one message; false at the end.
    asio::awaitable<bool> take(wire& line)
    {
        std::string message = co_await line.read_message();
        const bool got = !message.empty();
        if (got)
            seen.push_back(std::move(message));
        co_return got;
    }

    void serve(wire_server::script script)
    {
        peer = std::make_unique<wire_server>(context, std::move(script));
    }

    // Answers `messages` on each connection, in this order, and closes it then. Each answer follows a
    // request.
    void serve_each(std::vector<std::vector<std::string>> messages)
    {
        serve([this, messages](wire& line, int index) {
            return answer_all(line, messages.at(static_cast<std::size_t>(index)));
        });
    }

    asio::awaitable<void> answer_all(wire& line, std::vector<std::string> messages)
    {
        for (const std::string& each : messages)
        {
            if (!co_await take(line))
                co_return;
            co_await line.send(each);
        }
        if (messages.empty())
            co_return;
        // One more request may come: it gets no answer, but the end.
        co_await take(line);
    }

    result<response> send(verb method, client_options options = {}, std::string body = "")
    {
        request message(method, "/path?q", 11);
        message.body() = std::move(body);
        return run(context, asking->send(peer->origin(), std::move(message), options));
    }

    result<std::unique_ptr<body_stream>> open(verb method, client_options options = {})
    {
        return run(context, asking->open(peer->origin(), request(method, "/path?q", 11), options));
    }

    client_options within(std::chrono::milliseconds limit)
    {
        client_options options;
        options.timeout = limit;
        return options;
    }
};

// The body of an answer, or "error <code>".
std::string body_of(const result<response>& answer)
{
    return answer ? answer->body() : std::string("error ") + to_string(answer.error().code());
}

asio::awaitable<std::string> read_all(body_stream& stream, std::vector<std::size_t>& pieces)
{
    std::string all;
    for (;;)
    {
        auto piece = co_await stream.read_some(1s);
        if (!piece)
            co_return "error " + std::string(to_string(piece.error().code())) + " after " + all;
        if (piece->empty())
            co_return all;
        pieces.push_back(piece->size());
        all += *piece;
    }
}

}  // namespace

TEST_CASE("a client sends a complete request and reads the answer", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("hello", "X-Mark: 1\r\n")}});
    const auto answer = f.send(verb::post, {}, "question");
    REQUIRE(answer.has_value());
    CHECK(answer->result_int() == 200);
    CHECK(answer->body() == "hello");
    CHECK((*answer)["X-Mark"] == "1");
    REQUIRE(f.seen.size() == 1);
    CHECK(f.seen[0].starts_with("POST /path?q HTTP/1.1\r\n"));
    CHECK(f.seen[0].find("Host: " + f.peer->origin().authority() + "\r\n") != std::string::npos);
    CHECK(f.seen[0].find("Content-Length: 8\r\n") != std::string::npos);
    CHECK(f.seen[0].ends_with("question"));
}

TEST_CASE("any complete answer is a value", "[core][http_client]")
{
    fixture f;
    f.serve_each({{"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", "HTTP/1.1 204 No Content\r\n\r\n"}});
    const auto busy = f.send(verb::get);
    REQUIRE(busy.has_value());
    CHECK(busy->result_int() == 503);
    CHECK(busy->body() == "busy");
    const auto empty = f.send(verb::get);
    REQUIRE(empty.has_value());
    CHECK(empty->result_int() == 204);
}

TEST_CASE("two requests to one server share a connection", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one"), ok("two"), ok("three")}});
    CHECK(body_of(f.send(verb::get)) == "one");
    CHECK(body_of(f.send(verb::post)) == "two");
    CHECK(body_of(f.send(verb::get)) == "three");
    CHECK(f.peer->connections() == 1);
}

TEST_CASE("a connection that the server will close is not used again", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one", "Connection: close\r\n")}, {ok("two")}});
    CHECK(body_of(f.send(verb::post)) == "one");
    CHECK(body_of(f.send(verb::post)) == "two");
    CHECK(f.peer->connections() == 2);
}

TEST_CASE("a connection that lay idle too long is not used again", "[core][http_client]")
{
    fixture f;
    client_settings settings;
    settings.max_idle = 20ms;
    f.asking = make_client(f.context.get_executor(), settings).value();
    f.serve_each({{ok("one"), ok("wrong")}, {ok("two")}});
    CHECK(body_of(f.send(verb::get)) == "one");
    run(f.context, sleep_for(40ms));
    CHECK(body_of(f.send(verb::get)) == "two");
}

TEST_CASE("bytes that nobody asked for spoil the connection, not the next answer", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one") + ok("forged"), ok("wrong")}, {ok("two")}});
    CHECK(body_of(f.send(verb::get)) == "one");
    CHECK(body_of(f.send(verb::get)) == "two");
}

TEST_CASE("a connection that was closed while idle is noticed before anything is sent", "[core][http_client]")
{
    fixture f;
    f.serve([&f](wire& line, int index) -> asio::awaitable<void> {
        co_await f.take(line);
        const std::string said = index == 0 ? "one" : "two";
        co_await line.send(ok(said));
        line.close();
    });
    CHECK(body_of(f.send(verb::post)) == "one");
    run(f.context, sleep_for(20ms));
    CHECK(body_of(f.send(verb::post)) == "two");
    CHECK(f.seen.size() == 2);
}

TEST_CASE("a GET whose kept connection breaks is sent again", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one")}, {ok("two")}});
    CHECK(body_of(f.send(verb::get)) == "one");
    CHECK(body_of(f.send(verb::get)) == "two");
    CHECK(f.seen.size() == 3);  // the second one twice
    CHECK(f.peer->connections() == 2);
}

TEST_CASE(
    "a POST whose kept connection breaks has an unknown outcome and is not sent again", "[core][http_client]"
)
{
    fixture f;
    f.serve_each({{ok("one")}, {ok("two")}});
    CHECK(body_of(f.send(verb::post)) == "one");
    CHECK(body_of(f.send(verb::post)) == "error timed_out");
    CHECK(f.seen.size() == 2);
    CHECK(f.peer->connections() == 1);
}

TEST_CASE("a POST whose answer is cut short has an unknown outcome", "[core][http_client]")
{
    fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        line.close();
    });
    CHECK(body_of(f.send(verb::post)) == "error timed_out");
}

TEST_CASE("a GET that has an effect is treated as a POST is", "[core][http_client]")
{
    client_options paid;
    paid.has_effect = true;
    fixture f;
    SECTION("a new connection breaks")
    {
        f.serve_each({{}, {ok("wrong")}});
        CHECK(body_of(f.send(verb::get, paid)) == "error timed_out");
        CHECK(f.peer->connections() == 1);
    }
    SECTION("a kept connection breaks")
    {
        f.serve_each({{ok("one")}, {ok("two")}});
        CHECK(body_of(f.send(verb::get, paid)) == "one");
        CHECK(body_of(f.send(verb::get, paid)) == "error timed_out");
        CHECK(f.seen.size() == 2);
        CHECK(f.peer->connections() == 1);
    }
    SECTION("the answer is cut short")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            line.close();
        });
        CHECK(body_of(f.send(verb::get, paid)) == "error timed_out");
    }
    SECTION("nobody listens: surely nothing was sent")
    {
        const origin nobody{"http", "127.0.0.1", portitor::test::free_port(f.context)};
        const auto answer = run(f.context, f.asking->send(nobody, request(verb::get, "/", 11), paid));
        CHECK(answer.error().code() == errc::unavailable);
    }
}

TEST_CASE("a new connection that breaks is not tried twice", "[core][http_client]")
{
    fixture f;
    f.serve_each({{}, {ok("wrong")}});
    CHECK(body_of(f.send(verb::get)) == "error unavailable");
    CHECK(f.peer->connections() == 1);
}

TEST_CASE("a server that nobody runs is unavailable", "[core][http_client]")
{
    fixture f;
    const origin nobody{"http", "127.0.0.1", portitor::test::free_port(f.context)};
    const auto answer =
        run(f.context, f.asking->send(nobody, request(verb::post, "/", 11), client_options()));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code() == errc::unavailable);
    CHECK(answer.error().message().find(nobody.authority()) != std::string::npos);
}

TEST_CASE("a slow server is timed_out", "[core][http_client]")
{
    fixture f;
    SECTION("it says nothing")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await sleep_for(1h);
        });
    }
    SECTION("it stops within the answer")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            co_await sleep_for(1h);
        });
    }
    SECTION("it drips")
    {
        f.serve([&f](wire& line, int) -> asio::awaitable<void> {
            co_await f.take(line);
            co_await line.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            for (;;)
            {
                co_await line.send("x");
                co_await sleep_for(5ms);
            }
        });
    }
    const auto before = std::chrono::steady_clock::now();
    CHECK(body_of(f.send(verb::get, f.within(60ms))) == "error timed_out");
    CHECK(body_of(f.send(verb::post, f.within(60ms))) == "error timed_out");
    CHECK(std::chrono::steady_clock::now() - before < 2s);
}

TEST_CASE("an answer that is too large is a protocol error", "[core][http_client]")
{
    fixture f;
    client_options small;
    small.max_body = 10;
    f.serve_each(
        {{ok("0123456789")}, {ok("0123456789x")}, {"HTTP/1.1 200 OK\r\n\r\n" + std::string(100, 'x')}}
    );
    CHECK(body_of(f.send(verb::get, small)) == "0123456789");
    f.asking = make_client(f.context.get_executor(), client_settings()).value();
    CHECK(body_of(f.send(verb::get, small)) == "error protocol");
    CHECK(body_of(f.send(verb::get, small)) == "error protocol");
}

TEST_CASE("what frames a body has an end too", "[core][http_client]")
{
    const std::string begin = GENERATE("1;a=", "5\r\nwhole\r\n9;", "0\r\nA: ");
    const bool streamed = GENERATE(false, true);
    CAPTURE(begin, streamed);
    // Outlives the server, which is ended with the fixture.
    bool taken = true;
    fixture f;
    f.serve([&](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + begin);
        // A client that kept it all would go on taking it.
        for (int i = 0; taken && i < 500; ++i)
            taken = co_await line.send(std::string(64 * 1024, 'x'));
    });
    if (streamed)
    {
        auto stream = f.open(verb::get);
        REQUIRE(stream.has_value());
        std::vector<std::size_t> pieces;
        CHECK(run(f.context, read_all(**stream, pieces)).starts_with("error protocol"));
    }
    else
        CHECK(body_of(f.send(verb::get)) == "error protocol");
}

TEST_CASE("an answer's header may be as long as the caller says", "[core][http_client]")
{
    const std::string terms = "PAYMENT-REQUIRED: " + std::string(12'000, 'a') + "\r\n";
    fixture f;
    f.serve_each({{ok("one", terms)}, {ok("two", terms)}});
    CHECK(body_of(f.send(verb::get)) == "error protocol");
    client_options patient;
    patient.max_header = 16 * 1024;
    CHECK(body_of(f.send(verb::get, patient)) == "two");
}

TEST_CASE("an answer that is no HTTP is a protocol error", "[core][http_client]")
{
    fixture f;
    f.serve_each({{"SSH-2.0-OpenSSH_9.2\r\n\r\n"}});
    CHECK(body_of(f.send(verb::get)) == "error protocol");
}

TEST_CASE("the answer to HEAD has no body, whatever its length says", "[core][http_client]")
{
    fixture f;
    f.serve_each({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", ok("next")}});
    const auto answer = f.send(verb::head, f.within(500ms));
    REQUIRE(answer.has_value());
    CHECK(answer->result_int() == 200);
    CHECK(body_of(f.send(verb::get)) == "next");
}

TEST_CASE("a body is streamed in whatever pieces it comes", "[core][http_client][stream]")
{
    std::string text;
    std::string chunked = "HTTP/1.1 200 OK\r\nX-Mark: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::size_t size : {1, 2, 17, 4096, 3, 20000})
    {
        const std::string chunk(size, static_cast<char>('a' + size % 26));
        text += chunk;
        chunked += fmt::format("{:x}\r\n{}\r\n", size, chunk);
    }
    chunked += "0\r\n\r\n";
    std::size_t step = GENERATE(1U, 7U, 1000U, 100000U);
    CAPTURE(step);
    if (step == 1)
        chunked = chunked.substr(0, chunked.find("1000\r\n")) + "0\r\n\r\n", text = text.substr(0, 20);
    // After what the peer sends of: it may still be at it when the test is over.
    fixture f;
    f.serve([&](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        for (std::size_t at = 0; at < chunked.size(); at += step)
            co_await line.send(chunked.substr(at, step));
        co_await sleep_for(1h);
    });
    auto stream =
        run(f.context, f.asking->open(f.peer->origin(), request(verb::get, "/", 11), client_options()));
    REQUIRE(stream.has_value());
    CHECK((*stream)->status_code() == 200);
    CHECK((*stream)->headers()["X-Mark"] == "1");
    std::vector<std::size_t> pieces;
    CHECK(run(f.context, read_all(**stream, pieces)) == text);
    CHECK(pieces.size() > 1);
}

TEST_CASE("a piece is handed out before the next one comes", "[core][http_client][stream]")
{
    fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        co_await sleep_for(10ms);
        co_await line.send("6\r\nfirst\n\r\n");
        co_await sleep_for(1h);
    });
    auto stream =
        run(f.context, f.asking->open(f.peer->origin(), request(verb::get, "/", 11), client_options()));
    REQUIRE(stream.has_value());
    const auto first = run(f.context, (*stream)->read_some(1s));
    REQUIRE(first.has_value());
    CHECK(*first == "first\n");
    const auto silence = run(f.context, (*stream)->read_some(30ms));
    REQUIRE_FALSE(silence.has_value());
    CHECK(silence.error().code() == errc::timed_out);
}

TEST_CASE("a stream that breaks is an error, not an end", "[core][http_client][stream]")
{
    fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n9\r\nhalf");
        line.close();
    });
    auto stream =
        run(f.context, f.asking->open(f.peer->origin(), request(verb::get, "/", 11), client_options()));
    REQUIRE(stream.has_value());
    std::vector<std::size_t> pieces;
    const std::string read = run(f.context, read_all(**stream, pieces));
    CHECK(read.starts_with("error "));
    CHECK(read.ends_with(" after wholehalf"));
}

TEST_CASE("a stream without a length ends with its connection", "[core][http_client][stream]")
{
    fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await line.send("HTTP/1.1 200 OK\r\n\r\nto the end");
        line.close();
    });
    auto stream =
        run(f.context, f.asking->open(f.peer->origin(), request(verb::get, "/", 11), client_options()));
    REQUIRE(stream.has_value());
    std::vector<std::size_t> pieces;
    CHECK(run(f.context, read_all(**stream, pieces)) == "to the end");
}

TEST_CASE("a stream that cannot be opened says why", "[core][http_client][stream]")
{
    fixture f;
    const origin nobody{"http", "127.0.0.1", portitor::test::free_port(f.context)};
    const auto refused =
        run(f.context, f.asking->open(nobody, request(verb::get, "/", 11), client_options()));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == errc::unavailable);
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        co_await sleep_for(1h);
    });
    const auto silent =
        run(f.context, f.asking->open(f.peer->origin(), request(verb::get, "/", 11), f.within(50ms)));
    REQUIRE_FALSE(silent.has_value());
    CHECK(silent.error().code() == errc::timed_out);
}

TEST_CASE(
    "a stream that was read to its end leaves its connection to the next request",
    "[core][http_client][stream]"
)
{
    fixture f;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n";
    f.serve_each({{ok("one"), chunked, ok("three"), ok(""), ok("five")}});
    std::vector<std::size_t> pieces;
    CHECK(body_of(f.send(verb::get)) == "one");
    {
        auto stream = f.open(verb::get);
        REQUIRE(stream.has_value());
        CHECK(run(f.context, read_all(**stream, pieces)) == "two");
        // It has an end, however often one asks.
        CHECK(run(f.context, (*stream)->read_some(1s)).value().empty());
        CHECK((*stream)->status_code() == 200);
        auto next = f.open(verb::get);
        REQUIRE(next.has_value());
        CHECK(run(f.context, read_all(**next, pieces)) == "three");
    }
    auto empty = f.open(verb::get);
    REQUIRE(empty.has_value());
    CHECK(run(f.context, read_all(**empty, pieces)).empty());
    CHECK(body_of(f.send(verb::post)) == "five");
    CHECK(f.peer->connections() == 1);
    for (const std::string& each : f.seen)
        CHECK(each.find("Connection: close") == std::string::npos);
}

TEST_CASE(
    "a stream that was not read to its end keeps its connection from others", "[core][http_client][stream]"
)
{
    fixture f;
    f.serve_each(
        {{ok("one")},
         {ok("two")},
         {ok("three", "Connection: close\r\n")},
         {ok("four") + ok("forged")},
         {ok("five")}}
    );
    std::vector<std::size_t> pieces;
    {
        auto unread = f.open(verb::get);
        REQUIRE(unread.has_value());
        auto other = f.open(verb::get);
        REQUIRE(other.has_value());
        CHECK(f.peer->connections() == 2);
        CHECK(run(f.context, read_all(**other, pieces)) == "two");
    }
    // That one is kept, but the server ends it; its successor says that it will, and the next one is spoiled.
    for (const char* body : {"three", "four"})
    {
        auto stream = f.open(verb::get);
        REQUIRE(stream.has_value());
        CHECK(run(f.context, read_all(**stream, pieces)) == body);
    }
    CHECK(body_of(f.send(verb::get)) == "five");
    CHECK(f.peer->connections() == 5);
}

TEST_CASE("a stream of its own takes no idle connection and leaves none", "[core][http_client][stream]")
{
    fixture f;
    f.serve_each({{ok("one"), ok("three")}, {ok("two")}});
    client_options own;
    own.pooled = false;
    std::vector<std::size_t> pieces;
    CHECK(body_of(f.send(verb::get)) == "one");
    auto stream = f.open(verb::get, own);
    REQUIRE(stream.has_value());
    CHECK(run(f.context, read_all(**stream, pieces)) == "two");
    CHECK(body_of(f.send(verb::post)) == "three");
    CHECK(f.peer->connections() == 2);
    CHECK(f.seen[0].find("Connection: close") == std::string::npos);
    CHECK(f.seen[1].find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE(
    "opening is repeated where the kept connection was gone and nothing can have happened",
    "[core][http_client][stream]"
)
{
    fixture f;
    f.serve_each({{ok("one")}, {ok("two")}});
    std::vector<std::size_t> pieces;
    CHECK(body_of(f.send(verb::get)) == "one");
    SECTION("a GET")
    {
        auto stream = f.open(verb::get);
        REQUIRE(stream.has_value());
        CHECK(run(f.context, read_all(**stream, pieces)) == "two");
        CHECK(f.seen.size() == 3);
    }
    SECTION("not a POST")
    {
        const auto stream = f.open(verb::post);
        REQUIRE_FALSE(stream.has_value());
        CHECK(stream.error().code() == errc::timed_out);
        CHECK(f.seen.size() == 2);
    }
}

TEST_CASE("a stream may outlive its client", "[core][http_client][stream]")
{
    fixture f;
    f.serve_each({{ok("one")}});
    std::vector<std::size_t> pieces;
    auto stream = f.open(verb::get);
    REQUIRE(stream.has_value());
    f.asking.reset();
    CHECK(run(f.context, read_all(**stream, pieces)) == "one");
}

TEST_CASE("1xx announces the answer and is none", "[core][http_client]")
{
    fixture f;
    const std::string hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                              "HTTP/1.1 103 Early Hints\r\n\r\n";
    f.serve_each({{hints + ok("one"), hints + ok("two"), ok("three")}});
    CHECK(body_of(f.send(verb::post)) == "one");
    auto stream = f.open(verb::get);
    REQUIRE(stream.has_value());
    CHECK((*stream)->status_code() == 200);
    CHECK((*stream)->headers().count("Link") == 0);
    std::vector<std::size_t> pieces;
    CHECK(run(f.context, read_all(**stream, pieces)) == "two");
    CHECK(body_of(f.send(verb::get)) == "three");
    CHECK(f.peer->connections() == 1);
}

TEST_CASE("an announcement alone is no answer", "[core][http_client]")
{
    fixture f;
    f.serve([&f](wire& line, int) -> asio::awaitable<void> {
        co_await f.take(line);
        for (bool open = true; open;)
        {
            open = co_await line.send("HTTP/1.1 103 Early Hints\r\n\r\n");
            co_await sleep_for(5ms);
        }
    });
    CHECK(body_of(f.send(verb::get, f.within(40ms))) == "error timed_out");
    const auto stream = f.open(verb::get, f.within(40ms));
    REQUIRE_FALSE(stream.has_value());
    CHECK(stream.error().code() == errc::timed_out);
}

TEST_CASE("101 would be another protocol", "[core][http_client]")
{
    fixture f;
    const std::string switching =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    f.serve_each({{switching}, {switching}});
    CHECK(body_of(f.send(verb::get)) == "error protocol");
    const auto stream = f.open(verb::get);
    REQUIRE_FALSE(stream.has_value());
    CHECK(stream.error().code() == errc::protocol);
}

TEST_CASE("other certificates count from the next connection on", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one"), ok("two")}, {ok("three")}, {ok("four")}});
    std::vector<std::size_t> pieces;
    CHECK(body_of(f.send(verb::get)) == "one");
    auto under_way = f.open(verb::get);
    REQUIRE(under_way.has_value());
    REQUIRE(f.asking->use_tls(tls_settings()).has_value());
    // Neither disturbed, nor kept for others.
    CHECK(run(f.context, read_all(**under_way, pieces)) == "two");
    CHECK(body_of(f.send(verb::get)) == "three");
    REQUIRE(f.asking->use_tls(tls_settings()).has_value());
    CHECK(body_of(f.send(verb::get)) == "four");
    CHECK(f.peer->connections() == 3);
}

TEST_CASE("certificates that cannot be read change nothing", "[core][http_client]")
{
    fixture f;
    f.serve_each({{ok("one"), ok("two")}});
    CHECK(body_of(f.send(verb::get)) == "one");
    tls_settings bad_ca;
    bad_ca.ca = "no certificate";
    tls_settings bad_certificate;
    bad_certificate.certificate = "no certificate";
    for (const tls_settings& bad : {bad_ca, bad_certificate})
    {
        const auto used = f.asking->use_tls(bad);
        REQUIRE_FALSE(used.has_value());
        CHECK(used.error().code() == errc::invalid);
        client_settings settings;
        settings.tls = bad;
        CHECK_FALSE(make_client(f.context.get_executor(), settings).has_value());
    }
    CHECK(body_of(f.send(verb::get)) == "two");
    CHECK(f.peer->connections() == 1);
}

TEST_CASE(
    "the client and the server of this library understand each other", "[core][http_client][http_server]"
)
{
    fixture f;
    server served(f.context, logger(), [](const server_request& message) -> asio::awaitable<reply> {
        co_return reply(make_response(status::created, fmt::format("got {}", message.body())));
    });
    REQUIRE(served.listen("127.0.0.1:0").has_value());
    task_group tasks(f.context.get_executor(), logger());
    tasks.spawn("server", served.run());
    const origin there{"http", "127.0.0.1", served.port()};
    for (const std::string& body : {std::string("a"), std::string(60000, 'b'), std::string()})
    {
        request message(verb::post, "/", 11);
        message.body() = body;
        const auto answer = run(f.context, f.asking->send(there, std::move(message), client_options()));
        REQUIRE(answer.has_value());
        CHECK(answer->result_int() == 201);
        CHECK(answer->body() == "got " + body);
    }
    run(f.context, served.drain(1s));
    run(f.context, tasks.join());
}
