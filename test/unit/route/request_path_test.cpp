#include "catch.hpp"
#include "route/request_path.hpp"

using namespace portitor;
using namespace portitor::route;

TEST_CASE("a path with one reading is taken, its query left out", "[verifier][path]")
{
    struct good
    {
        const char* uri;
        const char* text;
        std::vector<std::string> segments;
        bool parameters = false;
    };
    const auto row = GENERATE(values<good>({
        {"/", "/", {}},
        {"/?a=..%2F", "/", {}},
        {"/services/echo/a", "/services/echo/a", {"services", "echo", "a"}},
        {"/services/echo/a?q=/../x//y;z%2F%zz\\#", "/services/echo/a", {"services", "echo", "a"}},
        // A slash at the end chooses no other rule, but stays in the text.
        {"/services/echo/", "/services/echo/", {"services", "echo"}},
        // As Traefik 3.6 passes them on unchanged.
        {"/services/echo/a;b=1", "/services/echo/a;b=1", {"services", "echo", "a;b=1"}, true},
        {"/services/echo/a%3Bb", "/services/echo/a%3Bb", {"services", "echo", "a%3Bb"}, true},
        {"/services/echo/a%3bb", "/services/echo/a%3bb", {"services", "echo", "a%3bb"}, true},
        {"/services/echo;x/a", "/services/echo;x/a", {"services", "echo;x", "a"}, true},
        {"/services/echo/a%252Fb", "/services/echo/a%252Fb", {"services", "echo", "a%252Fb"}},
        {"/services/echo/%252e%252e/b",
         "/services/echo/%252e%252e/b",
         {"services", "echo", "%252e%252e", "b"}},
        {"/services/echo/a%20b", "/services/echo/a%20b", {"services", "echo", "a%20b"}},
        {"/services/echo/a%3Fq=1", "/services/echo/a%3Fq=1", {"services", "echo", "a%3Fq=1"}},
        {"/services/echo/a+b", "/services/echo/a+b", {"services", "echo", "a+b"}},
        {"/services/echo/%C3%BC", "/services/echo/%C3%BC", {"services", "echo", "%C3%BC"}},
        {"/a/%E2%82%AC%f0%9F%98%80%ed%9f%bf",
         "/a/%E2%82%AC%f0%9F%98%80%ed%9f%bf",
         {"a", "%E2%82%AC%f0%9F%98%80%ed%9f%bf"}},
        {"/a/\xc3\xbc%F4%8F%BF%BF", "/a/\xc3\xbc%F4%8F%BF%BF", {"a", "\xc3\xbc%F4%8F%BF%BF"}},
        // Unreserved characters mean the same with and without an escape.
        {"/services/%65cho/%61%2D%2e%5F%7E%39", "/services/echo/a-._~9", {"services", "echo", "a-._~9"}},
        {"/Services/ECHO", "/Services/ECHO", {"Services", "ECHO"}},
        // Dots are only special alone.
        {"/a/.../b", "/a/.../b", {"a", "...", "b"}},
        {"/a/..b/.c", "/a/..b/.c", {"a", "..b", ".c"}},
    }));
    INFO(row.uri);
    request_path path;
    REQUIRE(read_request_path(row.uri, path).has_value());
    CHECK(path.text == row.text);
    CHECK(path.segments == std::vector<std::string_view>(row.segments.begin(), row.segments.end()));
    CHECK(path.has_parameters == row.parameters);
}

TEST_CASE("a path that an upstream may read differently is refused", "[verifier][path]")
{
    const char* const uri = GENERATE(
        // Traefik asks the gate with these, and the upstream gets another path.
        "/services/echo/public/..%2Fpaid",
        "/services/echo/public/%2E%2E%2Fpaid",
        "/services/echo/..%2Fother",
        "/services/echo/..%2F..%2F..%2Fother",
        "/services/echo/a%2F..%2F",
        "/services/echo/a%2Fb",
        "/services/echo/a%2fb",
        "/services/echo/..%3Bx/other",
        "/services/echo/..%3bx",
        "/services/echo/%2e%3Bx/other",
        // It resolves or refuses these; another gateway might not.
        "/services/echo/a%5Cb",
        "/services/echo/a%5cb",
        "/services/echo/a\\b",
        "/services/echo/a%00b",
        // Not UTF-8: overlong dots and slashes, a lone byte, cut, a surrogate, beyond U+10FFFF.
        "/services/echo/%c0%ae%c0%ae/b",
        "/services/echo/..%C0%AFb",
        "/services/echo/%e0%80%af",
        "/services/echo/%f0%80%80%ae",
        "/services/echo/%ff",
        "/services/echo/\xff",
        "/services/echo/%80",
        "/services/echo/%C3",
        "/services/echo/%C3/%BC",
        "/services/echo/\xc3%2e",
        "/services/echo/%E2%82",
        "/services/echo/%ed%a0%80",
        "/services/echo/%f4%90%80%80",
        "/services/echo/%f5%80%80%80",
        "/services/echo//a",
        "//services/echo/a",
        "/services/echo/a//",
        "//",
        "/services/./echo/a",
        "/services/echo/.",
        "/services/echo/x/../a",
        "/services/echo/..",
        "/..",
        "/services/echo/public/%2e%2e/paid",
        "/services/echo/a/.%2E/b",
        "/services/echo/a/%2E./b",
        "/services/echo/%2e/b",
        "/services/echo/..;x/b",
        "/services/echo/.;/b",
        "/services/echo/%2e%2e;x=1/b",
        "/services%2Fecho/a",
        "/services/echo%2Fa",
        "/services/echo/a%zz",
        "/services/echo/a%",
        "/services/echo/a%2",
        "/services/echo/a%2?b",
        "/services/echo/a%%35",
        "/services/echo/a%+2",
        "/services/echo/a#f",
        "/services/echo/a b",
        "/services/echo/a\tb",
        "/services/echo/a\rb",
        "/services/echo/a\nb",
        "/services/echo/a\x7f",
        "/services/echo/a\x01",
        "*",
        "",
        "?",
        "services/echo/a",
        "http://gate.test/services/echo/a",
        "\\services\\echo"
    );
    INFO(uri);
    request_path path;
    const auto read = read_request_path(uri, path);
    REQUIRE(read.has_error());
    CHECK(read.error().code() == errc::invalid);
    // The message goes to the client: it must not carry the client's bytes back.
    CHECK(read.error().message().find("services") == std::string::npos);
}

TEST_CASE("a NUL in the path is refused", "[verifier][path]")
{
    request_path path;
    CHECK(read_request_path(std::string_view("/services/echo/a\0b", 18), path).has_error());
}

TEST_CASE("every escape is decoded only where that changes nothing", "[verifier][path]")
{
    const std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (int byte = 0; byte < 256; ++byte)
    {
        const std::string escape = fmt::format("%{:02X}", byte);
        const std::string uri = "/x" + escape + "y";
        INFO(uri);
        request_path path;
        const auto outcome = read_request_path(uri, path);
        // Above ASCII one byte alone is no character.
        if (byte == 0 || byte == '/' || byte == '\\' || byte >= 0x80)
        {
            CHECK(outcome.has_error());
            continue;
        }
        REQUIRE(outcome.has_value());
        const char plain = static_cast<char>(byte);
        const bool decoded = unreserved.find(plain) != std::string_view::npos;
        CHECK(path.text == (decoded ? std::string("/x") + plain + "y" : uri));
        CHECK(path.has_parameters == (byte == ';'));
        CHECK(path.segments.size() == 1);
    }
}

TEST_CASE("a path is read into the same place again and again", "[verifier][path]")
{
    request_path path;
    REQUIRE(read_request_path("/a;x/b/c/%3b", path).has_value());
    REQUIRE(read_request_path("/d", path).has_value());
    CHECK(path.text == "/d");
    CHECK(path.segments == std::vector<std::string_view>{"d"});
    CHECK_FALSE(path.has_parameters);
    // A refused one leaves nothing behind for the next.
    REQUIRE(read_request_path("/a;b/..", path).has_error());
    REQUIRE(read_request_path("/", path).has_value());
    CHECK(path.text == "/");
    CHECK(path.segments.empty());
    CHECK_FALSE(path.has_parameters);
}
