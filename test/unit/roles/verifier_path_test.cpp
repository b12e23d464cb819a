#include "catch.hpp"

#include "roles/verifier/request_path.hpp"

using namespace portitor::verifier;

TEST_CASE("a plain path is read as it stands, without its query", "[verifier][path]")
{
    const auto path = read_request_path("/services/hello/a?b=/../c");
    REQUIRE(path.has_value());
    CHECK(path->text == "/services/hello/a");
    CHECK(path->segments == std::vector<std::string>{"services", "hello", "a"});
    CHECK_FALSE(path->has_parameters);
}

TEST_CASE("unreserved escapes are decoded, others stay", "[verifier][path]")
{
    CHECK(read_request_path("/services/%65cho/%61")->text == "/services/echo/a");
    CHECK(read_request_path("/a%20b")->text == "/a%20b");
    CHECK(read_request_path("/a%252Fb")->text == "/a%252Fb");
    CHECK(read_request_path("/a%3Fq=1")->text == "/a%3Fq=1");
    CHECK(read_request_path("/caf%C3%A9")->text == "/caf%C3%A9");
}

TEST_CASE("a trailing slash adds no segment", "[verifier][path]")
{
    CHECK(read_request_path("/a/b/")->segments.size() == 2);
    CHECK(read_request_path("/")->segments.empty());
}

TEST_CASE("parameters are flagged in both spellings", "[verifier][path]")
{
    CHECK(read_request_path("/a;b=1")->has_parameters);
    CHECK(read_request_path("/a%3Bb=1")->has_parameters);
    CHECK(read_request_path("/a%3bb=1")->has_parameters);
}

TEST_CASE("a path with two readings is refused", "[verifier][path]")
{
    for (const char* text :
         {"/free/..%2Fpaid", "/free/..%2fpaid", "/free/%2E%2E%2Fpaid", "/a%2Fb", "/a%5Cb", "/a%5cb", "/a%00b", "/a\\b",
          "/a//b", "//a", "/a/./b", "/a/../b", "/a/..", "/a/.", "/a/%2e%2e/b", "/a/%2E/b", "/a/..;x=y/b", "/a/.;/b",
          "/a%zz", "/a%2", "/a%", "/a b", "/a\tb", "/a#b", "a", "", "*", "http://host/a", "?a"})
    {
        INFO(text);
        CHECK_FALSE(read_request_path(text).has_value());
    }
    CHECK_FALSE(read_request_path(std::string_view("/a\0b", 4)).has_value());
}
