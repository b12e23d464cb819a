#include "catch.hpp"
#include "cli/explain/request_target.hpp"

using namespace portitor;
using namespace portitor::cli;
using namespace portitor::cli::explain;

TEST_CASE("a request may be written as a URL, as host and path, or as a path", "[cli][explain]")
{
    const auto whole = read_target("https://user@api.example.com:8443/a/b?c=/d#e");
    REQUIRE(whole.has_value());
    CHECK(whole->scheme == "https");
    CHECK(whole->host == "api.example.com:8443");
    CHECK(whole->path == "/a/b");
    CHECK(whole->query == "c=/d");
    CHECK(read_target("api.example.com/x")->host == "api.example.com");
    CHECK(read_target("/x//y")->path == "/x//y");
    CHECK(read_target("http://h")->path == "/");
    CHECK(read_target("/a?u=http://b/c")->query == "u=http://b/c");
    for (const char* wrong : {"", "nonsense", "ftp://host/x", "https:///x", "services/hello"})
        CHECK_FALSE(read_target(wrong).has_value());
}

TEST_CASE("paths are read as Traefik passes them on", "[cli][explain]")
{
    const std::pair<const char*, const char*> rows[] = {
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/../a", "/a"},
        {"//a//b/", "/a/b/"},
        {"/a/..", "/"},
        {"/a/.", "/a/"},
        {"/%61%2e%2E/b", "/a../b"},
        {"/a/%2e%2e/b", "/b"},
        {"/a%2fb", "/a%2Fb"},
        {"/a b/\xc3\xbc", "/a%20b/%C3%BC"},
        {"/", "/"},
        // What does not belong into a URL has all of it written anew, from what the escapes stand for.
        {"/a/b^c/d%2fe", "/a/b%5Ec/d/e"},
        {"/a/\xc3\xbc/..%2Fb%25c", "/a/b%25c"},
        {"/(a)!/\xc3\xbc", "/%28a%29%21/%C3%BC"},
        {"/(a)!/b%2fc%21", "/(a)!/b%2Fc%21"},
        {"/a b/c%2Fd", "/a%20b/c%2Fd"},
    };
    for (const auto& [sent, forwarded] : rows)
    {
        INFO(sent);
        const auto read = as_gateway_forwards(sent);
        REQUIRE(read.has_value());
        CHECK(*read == forwarded);
    }
    for (const char* broken : {"/%", "/a%2", "/%zz", "/%2"})
        CHECK_FALSE(as_gateway_forwards(broken).has_value());
}
