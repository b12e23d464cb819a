#include "server_fixture.hpp"

using namespace portitor;
using namespace portitor::http;
using namespace portitor::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using namespace std::string_literals;

namespace {

std::string chunked(const std::string& chunks, const std::string& more = "")
{
    return "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + more + "\r\n" + chunks;
}

// What must not be taken for a request, however it came in.
constexpr const char* smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

void check_refused(server_fixture& f, const std::string& bytes, const std::string& code = "400")
{
    CAPTURE(bytes.substr(0, 200));
    auto other = f.connect();
    run(f.context, other->send(get("/other")));
    run(f.context, other->read_message());
    const int before = f.requests;
    const std::string answers = f.exchange(bytes);
    CHECK(answers.starts_with("HTTP/1.1 " + code + " "));
    CHECK(has(answers, "Connection: close"));
    CHECK(count_of(answers, "HTTP/1.1 ") == 1);
    CHECK(f.requests == before);
    run(f.context, other->send(get("/again")));
    CHECK(run(f.context, other->read_message()).ends_with("GET /again "));
}

}  // namespace

TEST_CASE("a request with two readings of its length is 400", "[core][http_server]")
{
    server_fixture f;
    const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (const std::string& fields :
         {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"s,
          "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"s,
          "Content-Length: 5, 6\r\n\r\nhello"s,
          "Content-Length: -5\r\n\r\nhello"s,
          "Content-Length: +5\r\n\r\nhello"s,
          "Content-Length: 0x5\r\n\r\nhello"s,
          "Content-Length: 5 5\r\n\r\nhello"s,
          "Content-Length: 99999999999999999999999\r\n\r\nhello"s,
          "Content-Length:\r\n\r\nhello"s,
          "Content-Length : 5\r\n\r\nhello"s,
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding:\r\n\r\n0\r\n\r\n"s,
          "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"s})
        check_refused(f, start + fields + smuggled);
    check_refused(f, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s + smuggled);
}

TEST_CASE("chunks that are none are refused", "[core][http_server]")
{
    server_fixture f;
    for (const std::string& chunks :
         {"-5\r\nhello\r\n0\r\n\r\n"s,
          "0x5\r\nhello\r\n0\r\n\r\n"s,
          "+5\r\nhello\r\n0\r\n\r\n"s,
          " 5\r\nhello\r\n0\r\n\r\n"s,
          "\r\nhello\r\n0\r\n\r\n"s,
          "5\nhello\r\n0\r\n\r\n"s,
          "5\r\nhello0\r\n\r\n"s,
          "5\r\nhelloo\r\n0\r\n\r\n"s,
          "5\r\nhello\n0\r\n\r\n"s,
          "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"s,
          "5;\"\r\nhello\r\n0\r\n\r\n"s,
          "5 garbage\r\nhello\r\n0\r\n\r\n"s})
        check_refused(f, chunked(chunks) + smuggled);
    check_refused(f, chunked("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), "413");
    check_refused(f, chunked("7fffffff\r\nhello\r\n0\r\n\r\n"), "413");
}

TEST_CASE("chunks make one body; extensions and trailers change nothing", "[core][http_server]")
{
    server_fixture f;
    const std::string answers = f.exchange(
        chunked("5;a=b;c=\"d;e\"\r\nhello\r\n01\r\n \r\nA\r\n0123456789\r\n0;last\r\n"
                "X-Forwarded-Uri: /trailer\r\nX-Late: 1\r\n\r\n") +
        chunked("0\r\n\r\n") + get("/next", "Connection: close\r\n")
    );
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 3);
    REQUIRE(f.seen.size() == 3);
    CHECK(f.seen[0].body() == "hello 0123456789");
    CHECK(f.seen[0].count("X-Late") == 0);
    CHECK(f.seen[0].count("X-Forwarded-Uri") == 0);
    CHECK(f.seen[1].body().empty());
    CHECK(f.seen[2].target() == "/next");
}

TEST_CASE("trailers cannot change what the header said", "[core][http_server]")
{
    server_fixture f;
    check_refused(f, chunked("0\r\nContent-Length: 5\r\n\r\n") + smuggled);
    check_refused(f, chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n") + smuggled);
}

TEST_CASE("chunk extensions and trailers without end are refused while they come", "[core][http_server]")
{
    server_fixture f;
    const std::string endless(300'000, 'x');
    check_refused(f, chunked("5;" + endless), "431");
    check_refused(f, chunked("5\r\nhello\r\n5;" + endless), "431");
    check_refused(f, chunked("0;" + endless), "431");
    check_refused(f, chunked("0\r\nX: " + endless), "431");
    std::string many = "0\r\n";
    for (int i = 0; i < 30'000; ++i)
        many += "X: y\r\n";
    check_refused(f, chunked(many), "431");
}

TEST_CASE("a header is limited to 64 KiB, and may use them", "[core][http_server]")
{
    server_fixture f;
    const std::string rest = get("/x", "X-Large: \r\nConnection: close\r\n");
    constexpr std::size_t limit = 64 * 1024;
    for (const std::size_t spare : {std::size_t(100), std::size_t(8)})
    {
        const std::string value(limit - rest.size() - spare, 'v');
        const std::string answer = f.exchange(get("/x", "X-Large: " + value + "\r\nConnection: close\r\n"));
        CHECK(answer.starts_with("HTTP/1.1 200 "));
        CHECK(f.seen.back()["X-Large"] == value);
    }
    for (const std::size_t over : {std::size_t(1), std::size_t(1000), std::size_t(1'000'000)})
        check_refused(f, get("/x", "X-Large: " + std::string(limit + over, 'v') + "\r\n"), "431");
    check_refused(f, "GET /" + std::string(limit, 'p') + " HTTP/1.1\r\nHost: x\r\n\r\n", "431");
    check_refused(f, std::string(100'000, 'A'), "431");
    // The limit is of each request, not of what comes together.
    const std::string large = get("/x", "X-Large: " + std::string(40'000, 'v') + "\r\n");
    CHECK(count_of(f.exchange(large + large + large + rest), "HTTP/1.1 200 ") == 4);
}

TEST_CASE("five thousand headers are read, each by its name", "[core][http_server]")
{
    server_fixture f;
    std::string many;
    for (int i = 0; i < 5000; ++i)
        many += fmt::format("X{}: {}\r\n", i, i % 10);
    REQUIRE(many.size() < 64 * 1024 - 100);
    const std::string answer = f.exchange(get("/x", many + "Connection: close\r\n"));
    CHECK(answer.starts_with("HTTP/1.1 200 "));
    REQUIRE(f.seen.size() == 1);
    CHECK(f.seen[0]["x4999"] == "9");
    CHECK(std::distance(f.seen[0].begin(), f.seen[0].end()) == 5002);
}

TEST_CASE("what does not belong into a header is 400", "[core][http_server]")
{
    server_fixture f;
    for (const std::string& field :
         {"X: a\0b\r\n"s,
          "X\0: a\r\n"s,
          "X: a\x01b\r\n"s,
          "X: a\x7f"
          "b\r\n"s,
          "X: a\rb\r\n"s,
          "X: a\nY: b\r\n"s,
          "X Y: a\r\n"s,
          ": a\r\n"s,
          "X\r\n"s,
          "X(: a\r\n"s})
        check_refused(f, get("/x", field) + smuggled);
    for (const std::string& line :
         {"GET  / HTTP/1.1"s,
          "GET / HTTP/1.1 "s,
          "GET / HTTP/2.0"s,
          "GET / http/1.1"s,
          "GET / HTTP/1.10"s,
          "GET /a b HTTP/1.1"s,
          "GET /\0 HTTP/1.1"s,
          "GET /\x7f HTTP/1.1"s,
          "GET\t/ HTTP/1.1"s,
          "G(T / HTTP/1.1"s,
          " GET / HTTP/1.1"s,
          "/ HTTP/1.1"s,
          "GET HTTP/1.1"s})
        check_refused(f, line + "\r\nHost: x\r\n\r\n" + smuggled);
}

TEST_CASE("a folded header is one value", "[core][http_server]")
{
    server_fixture f;
    f.exchange(get("/x", "X-Folded: a\r\n b\r\n\tContent-Length: 5\r\nConnection: close\r\n"));
    REQUIRE(f.seen.size() == 1);
    CHECK(f.seen[0]["X-Folded"] == "a b Content-Length: 5");
    CHECK(f.seen[0].count("Content-Length") == 0);
}

TEST_CASE("headers of one name stay apart and in their order", "[core][http_server]")
{
    server_fixture f;
    f.exchange(get("/x", "X-A: 1\r\nx-a: 2\r\nX-a:   3  \r\nConnection: close\r\n"));
    REQUIRE(f.seen.size() == 1);
    const auto [from, to] = f.seen[0].equal_range("X-A");
    std::string values;
    for (auto each = from; each != to; ++each)
        values += std::string(each->value()) + ",";
    CHECK(values == "1,2,3,");
}

TEST_CASE("HTTP/1.0 keeps the connection only where it is asked to", "[core][http_server]")
{
    server_fixture f;
    auto line = f.connect();
    run(f.context, line->send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    const std::string first = run(f.context, line->read_message());
    CHECK(has(first, "Connection: keep-alive\r\n"));
    CHECK(first.ends_with("GET /1 "));
    run(f.context, line->send("GET /2 HTTP/1.0\r\n\r\n"));
    const std::string second = run(f.context, line->read_message());
    CHECK(has(second, "Connection: close\r\n"));
    CHECK(run(f.context, line->at_end()));
}

TEST_CASE("nothing behind a request that closes is answered", "[core][http_server]")
{
    server_fixture f;
    const std::string answers = f.exchange(get("/last", "Connection: close\r\n") + smuggled);
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 1);
    CHECK(f.requests == 1);
}

TEST_CASE("Expect: 100-continue without a body does not wait", "[core][http_server]")
{
    server_fixture f;
    const auto before = std::chrono::steady_clock::now();
    CHECK(f.exchange(get("/x", "Expect: 100-continue\r\nConnection: close\r\n")).ends_with("GET /x "));
    CHECK(f.exchange("POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                     "Content-Length: 0\r\nConnection: close\r\n\r\n")
              .ends_with("POST /x "));
    CHECK(std::chrono::steady_clock::now() - before < 1s);
}

TEST_CASE("an upgrade that nobody offers is an ordinary request", "[core][http_server]")
{
    server_fixture f;
    const std::string answers = f.exchange(
        get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n") + get("/next", "Connection: close\r\n")
    );
    CHECK(count_of(answers, "HTTP/1.1 200 ") == 2);
    CHECK(answers.ends_with("GET /next "));
}
