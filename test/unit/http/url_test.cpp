#include "catch.hpp"

#include <portitor/http/message.hpp>

#include <string>

using namespace portitor;
using namespace portitor::http;

namespace {

// "<origin> <target>", or "error".
std::string split(std::string_view text)
{
    const auto read = parse_url(text);
    return read ? read->origin.to_string() + " " + read->target : "error";
}

}  // namespace

TEST_CASE("a URL is split into its server and what goes on the request line", "[core][url]")
{
    const auto read = parse_url("https://facilitator.example:8443/x402/verify?a=1&b=2");
    REQUIRE(read.has_value());
    CHECK(read->origin.scheme == "https");
    CHECK(read->origin.host == "facilitator.example");
    CHECK(read->origin.port == 8443);
    CHECK(read->target == "/x402/verify?a=1&b=2");
    CHECK(split("http://host") == "http://host /");
    CHECK(split("http://host/") == "http://host /");
    CHECK(split("http://host?x=1") == "http://host /?x=1");
    CHECK(split("http://host/a%20b") == "http://host /a%20b");
    CHECK(split("http://127.0.0.1:8080/p") == "http://127.0.0.1:8080 /p");
    CHECK(split("http://host:65535/") == "http://host:65535 /");
}

TEST_CASE("each scheme has its port", "[core][url]")
{
    CHECK(parse_url("http://host/")->origin.port == 80);
    CHECK(parse_url("https://host/")->origin.port == 443);
    CHECK(parse_url("https://host:443/")->origin == parse_url("https://host/")->origin);
    CHECK(parse_url("http://host:443/")->origin.authority() == "host:443");
    CHECK(parse_url("https://host:443/")->origin.authority() == "host");
}

TEST_CASE("an IPv6 host loses its brackets and gets them back in the Host header", "[core][url]")
{
    const auto read = parse_url("http://[fd00::1]:8080/x");
    REQUIRE(read.has_value());
    CHECK(read->origin.host == "fd00::1");
    CHECK(read->origin.authority() == "[fd00::1]:8080");
    CHECK(parse_url("https://[::1]/")->origin.authority() == "[::1]");
}

TEST_CASE("what is no usable http URL is refused", "[core][url]")
{
    for (const char* text :
         {"",
          "host",
          "host:8080",
          "/path",
          "//host/path",
          "ftp://host/",
          "file:///etc/passwd",
          "http:/host",
          "http://",
          "http:///path",
          "http://host:0/",
          "http://host:65536/",
          "http://host:99999999999/",
          "http://host:abc/",
          "http://host/a b",
          "http://ho st/",
          "http://host/\r\nX: y",
          "http://[::1/",
          "http://host/#fragment",
          "http://user@host/",
          "http://user:password@host/"})
    {
        CAPTURE(text);
        const auto read = parse_url(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::invalid);
    }
}

TEST_CASE("the complaint about a URL does not repeat its password", "[core][url]")
{
    for (const char* text :
         {"https://me:hunter2@host/", "https://me:hunter2@ho st/", "ftp://me:hunter2@host/"})
    {
        const auto read = parse_url(text);
        REQUIRE_FALSE(read.has_value());
        CAPTURE(read.error().message());
        CHECK(read.error().message().find("hunter2") == std::string::npos);
        CHECK(read.error().message().find("@ho") != std::string::npos);
    }
}

TEST_CASE("a made response is complete", "[core][url]")
{
    const response made = make_response(status::not_found, "nothing here\n");
    CHECK(made.result_int() == 404);
    CHECK(made.body() == "nothing here\n");
    CHECK(made[field::content_length] == "13");
    CHECK(made[field::content_type] == "text/plain; charset=utf-8");
    CHECK(make_response(status::ok, "{}", "application/json")[field::content_type] == "application/json");
}

TEST_CASE("an error names its code and its way", "[core][error]")
{
    const error inner = fail(errc::not_found, "no file {}", 7);
    CHECK(inner.message() == "no file 7");
    CHECK(inner.within("--config").message() == "--config: no file 7");
    CHECK(inner.within("--config").code() == errc::not_found);
    CHECK(std::string(to_string(errc::timed_out)) == "timed_out");
    CHECK(std::string(to_string(errc{})) == "unknown");
    const result<int> failed = inner;
    CHECK_THROWS_WITH(failed.value(), "no file 7");
}
