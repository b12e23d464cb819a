#include "server_fixture.hpp"

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("a server answers what its handler says and keeps the connection", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    run(f.context, line->send(post("/a?b=c", "hello")));
    const std::string first = run(f.context, line->read_message());
    CHECK(first.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(first.ends_with("\r\n\r\nPOST /a?b=c hello"));
    run(f.context, line->send(get("/second")));
    CHECK(run(f.context, line->read_message()).ends_with("GET /second "));
    CHECK(f.delivered == std::vector<bool>{true, true});
}

TEST_CASE("Connection: close is obeyed, and HTTP/1.0 has it built in", "[core][http_server]")
{
    server_fixture f;
    const std::string closing = f.exchange(get("/x", "Connection: close\r\n"));
    CHECK(has(closing, "Connection: close"));
    CHECK(closing.ends_with("GET /x "));
    CHECK(f.exchange("GET /old HTTP/1.0\r\n\r\n").ends_with("GET /old "));
}

TEST_CASE("pipelined requests are answered in their order", "[core][http_server]")
{
    server_fixture f;
    const std::string answers =
        f.exchange(get("/1") + post("/2", "two") + get("/3") + get("/4", "Connection: close\r\n"));
    const auto first = answers.find("GET /1 ");
    const auto second = answers.find("POST /2 two");
    const auto third = answers.find("GET /3 ");
    const auto fourth = answers.find("GET /4 ");
    REQUIRE(fourth != answers.npos);
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third < fourth);
    CHECK(f.requests == 4);
}

TEST_CASE("a request may arrive byte by byte", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    for (const char byte : post("/slow", "drip"))
    {
        run(f.context, line->send(std::string(1, byte)));
        f.context.restart();
        f.context.poll();
    }
    CHECK(run(f.context, line->read_message()).ends_with("POST /slow drip"));
}

TEST_CASE("an answer to HEAD has no body, and the next answer is in its place", "[core][http_server]")
{
    server_fixture f;
    const std::string answers =
        f.exchange("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + get("/next", "Connection: close\r\n"));
    CHECK(has(answers, "Content-Length: 8\r\n"));  // of "HEAD /h "
    CHECK_FALSE(has(answers, "HEAD /h"));
    CHECK(answers.ends_with("GET /next "));
}

TEST_CASE("a header that is too large is 431", "[core][http_server]")
{
    server_limits limits;
    limits.max_header = 2048;
    server_fixture f(limits);
    const std::string answer = f.exchange(get("/x", "X-Large: " + std::string(4000, 'x') + "\r\n"));
    CHECK(answer.starts_with("HTTP/1.1 431 "));
    CHECK(has(answer, "Connection: close"));
    CHECK(f.requests == 0);
    CHECK(f.exchange(get("/x", "X: " + std::string(1500, 'x') + "\r\nConnection: close\r\n"))
              .starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a body that is too large is 413", "[core][http_server]")
{
    server_limits limits;
    limits.max_body = 1000;
    server_fixture f(limits);
    CHECK(
        f.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n").starts_with("HTTP/1.1 413 ")
    );
    const std::string chunks = "200\r\n" + std::string(0x200, 'x') + "\r\n";
    CHECK(f.exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + chunks)
              .starts_with("HTTP/1.1 413 "));
    CHECK(f.requests == 0);
}

TEST_CASE("a client that sends its whole body first still reads the 413", "[core][http_server]")
{
    server_limits limits;
    limits.max_body = 1000;
    server_fixture f(limits);
    for (int i = 0; i < 20; ++i)
    {
        const std::string answer = f.exchange(post("/", std::string(200000, 'x')));
        CHECK(answer.starts_with("HTTP/1.1 413 "));
    }
}

TEST_CASE("garbage is 400", "[core][http_server]")
{
    server_fixture f;
    for (const char* text :
         {"garbage\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
          "GET / HTTP/9.9\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n"})
    {
        CAPTURE(text);
        const std::string answer = f.exchange(text);
        CHECK(answer.starts_with("HTTP/1.1 400 "));
        CHECK(has(answer, "Connection: close"));
    }
    CHECK(f.requests == 0);
}

TEST_CASE("a handler that throws is 500 without details, and the connection goes on", "[core][http_server]")
{
    server_fixture f;
    const std::string answers = f.exchange(get("/throw") + get("/next", "Connection: close\r\n"));
    CHECK(answers.starts_with("HTTP/1.1 500 "));
    CHECK_FALSE(has(answers, "secret"));
    CHECK(answers.ends_with("GET /next "));
}

TEST_CASE("a drain closes idle connections at once and lets a running request finish", "[core][http_server]")
{
    server_fixture f;
    auto idle = f.connect();
    run(f.context, idle->send(get("/x")));
    run(f.context, idle->read_message());
    auto busy = f.connect();
    run(f.context, busy->send(get("/held")));
    run_until(f.context, [&] { return f.requests == 2; });
    const std::uint16_t port = f.served->port();

    bool drained = false;
    struct local
    {
        static asio::awaitable<void> drain(server& served, bool& done)
        {
            co_await served.drain(3s);
            done = true;
        }
    };
    f.tasks.spawn("drain", local::drain(*f.served, drained));
    CHECK(run(f.context, idle->at_end()));
    CHECK_FALSE(drained);
    CHECK_THROWS(run(f.context, connect_wire(port)));

    f.held.open();
    const std::string answer = run(f.context, busy->read_message());
    CHECK(answer.ends_with("GET /held "));
    CHECK(has(answer, "Connection: close"));
    CHECK(run(f.context, busy->at_end()));
    run_until(f.context, [&] { return drained; });
    CHECK(f.delivered == std::vector<bool>{true, true});
}

TEST_CASE("a drain while an answer is being written ends the connection after it", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    run(f.context, line->send(get("/large")));
    run_until(f.context, [&] { return f.requests == 1; });
    f.tasks.spawn("drain", f.served->drain(4s));
    const auto before = std::chrono::steady_clock::now();
    run(f.context, sleep_for(5ms));
    const std::string answer = run(f.context, line->read_to_end());
    CHECK(answer.size() > server_fixture::large);
    CHECK(std::chrono::steady_clock::now() - before < 3s);
}

TEST_CASE("a drain cancels what does not finish in time", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    run(f.context, line->send(get("/never")));
    run_until(f.context, [&] { return f.requests == 1; });
    const auto before = std::chrono::steady_clock::now();
    run(f.context, f.served->drain(50ms));
    CHECK(std::chrono::steady_clock::now() - before < 2s);
    CHECK(run(f.context, line->at_end()));
}

TEST_CASE("an idle connection is closed after its time", "[core][http_server]")
{
    server_limits limits;
    limits.idle = 1s;
    limits.read_request = 1s;
    server_fixture f(limits);
    auto silent = f.connect();
    auto halfway = f.connect();
    run(f.context, halfway->send("GET / HT"));
    CHECK(run(f.context, silent->at_end()));
    CHECK(run(f.context, halfway->read_to_end()).starts_with("HTTP/1.1 408 "));
}

TEST_CASE("connections above the limit are closed", "[core][http_server]")
{
    server_limits limits;
    limits.max_connections = 1;
    server_fixture f(limits);
    auto first = f.connect();
    run(f.context, first->send(get("/first")));
    run(f.context, first->read_message());
    auto second = f.connect();
    CHECK(run(f.context, second->at_end()));
    run(f.context, first->send(get("/again")));
    CHECK(run(f.context, first->read_message()).ends_with("GET /again "));
}

TEST_CASE("HTTP/1.1 has one Host, HTTP/1.0 may have none", "[core][http_server]")
{
    server_fixture f;
    for (const char* text :
         {"GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nX-Host: x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
          "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: x\r\n\r\n"})
    {
        CAPTURE(text);
        CHECK(f.exchange(text).starts_with("HTTP/1.1 400 "));
    }
    CHECK(f.requests == 0);
    CHECK(f.exchange("GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
    CHECK(f.exchange("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a server named by its port alone is reached over IPv6 and IPv4", "[core][http_server]")
{
    asio::io_context context;
    server served(context, logger(), handler());
    REQUIRE(served.listen(":0").has_value());
    std::vector<std::string> addresses{"127.0.0.1"};
    boost::system::error_code no_ipv6;
    asio::ip::tcp::acceptor probe(context);
    probe.open(asio::ip::tcp::v6(), no_ipv6);
    if (!no_ipv6)
        probe.bind({asio::ip::make_address("::1"), 0}, no_ipv6);
    if (!no_ipv6)
        addresses.emplace_back("::1");
    for (const std::string& each : addresses)
    {
        CAPTURE(each);
        asio::ip::tcp::socket client(context);
        boost::system::error_code failed;
        client.connect({asio::ip::make_address(each), served.port()}, failed);
        CHECK_FALSE(failed);
    }
}

TEST_CASE("a server listens only where it is told and says why it cannot", "[core][http_server]")
{
    asio::io_context context;
    const handler nothing;
    const logger log;
    for (const char* text :
         {"", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "host:80", "[::1:80"})
    {
        CAPTURE(text);
        server each(context, log, nothing);
        const auto listening = each.listen(text);
        REQUIRE_FALSE(listening.has_value());
        CHECK(listening.error().code() == errc::invalid);
    }
    server any(context, log, nothing);
    REQUIRE(any.listen(":0").has_value());
    CHECK(any.port() != 0);
    server plain(context, log, nothing);
    CHECK(plain.listen("0").has_value());

    server taken(context, log, nothing);
    const auto refused = taken.listen("0.0.0.0:" + std::to_string(any.port()));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == errc::refused);
    CHECK(has(refused.error().message(), "in use"));
}
