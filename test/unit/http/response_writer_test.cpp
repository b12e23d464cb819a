#include "catch.hpp"

#include <portitor/http/response_writer.hpp>

#include <string>

using portitor::http::response_writer;

TEST_CASE("a response is written as text", "[core][response_writer]")
{
    std::string out = "before";
    response_writer writer(out, true, false);
    CHECK_FALSE(writer.finished());
    writer.status(402);
    writer.header("X-A", "1");
    writer.header("X-Empty", "");
    CHECK_FALSE(writer.finished());
    writer.finish("body");
    CHECK(writer.finished());
    CHECK(
        out == "beforeHTTP/1.1 402 Payment Required\r\nX-A: 1\r\nX-Empty: \r\nConnection: keep-alive\r\n"
               "Content-Length: 4\r\n\r\nbody"
    );
}

TEST_CASE(
    "a response that closes says so, and one to HEAD has no body but its length", "[core][response_writer]"
)
{
    std::string out;
    response_writer writer(out, false, true);
    writer.status(200);
    writer.finish(std::string(12345, 'x'));
    CHECK(out == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12345\r\n\r\n");
}

TEST_CASE("another status takes back what was written", "[core][response_writer]")
{
    std::string out = "before";
    response_writer writer(out, true, false);
    writer.status(200);
    writer.header("X-A", "1");
    writer.finish("body");
    writer.status(500);
    CHECK_FALSE(writer.finished());
    CHECK(out == "beforeHTTP/1.1 500 Internal Server Error\r\n");
    writer.finish("");
    CHECK(writer.finished());
    CHECK(out.ends_with("Error\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("a status without a name of its own is still one", "[core][response_writer]")
{
    std::string out;
    response_writer writer(out, true, false);
    writer.status(599);
    CHECK(out.starts_with("HTTP/1.1 599 "));
    CHECK(out.ends_with("\r\n"));
}

TEST_CASE("a 304 has neither a body nor a length", "[core][response_writer]")
{
    std::string out;
    response_writer writer(out, true, false);
    writer.status(304);
    writer.finish("left out");
    CHECK(writer.finished());
    CHECK(out == "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
}
