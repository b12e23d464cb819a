#include "catch.hpp"

#include <portitor/api/path_pattern.hpp>

using namespace portitor;
using namespace portitor::api;

namespace {

bool covers(std::string_view pattern, std::string_view path, gate access)
{
    return path_pattern::parse(pattern).value().covers(segments_of(path), access);
}

}  // namespace

TEST_CASE("a path has segments, and a slash at its end adds none", "[api][pattern]")
{
    using list = std::vector<std::string_view>;
    CHECK(segments_of("").empty());
    CHECK(segments_of("/").empty());
    CHECK(segments_of("/a/b") == list{"a", "b"});
    CHECK(segments_of("/a/b/") == list{"a", "b"});
    CHECK(segments_of("/a/*") == list{"a", "*"});
}

TEST_CASE("a pattern covers what is written, and a paid one the path before all below too", "[api][pattern]")
{
    struct row
    {
        const char* pattern;
        const char* path;
        bool paid;
        bool free;
    };
    const auto each = GENERATE(values<row>({
        {"/", "/", true, true},
        {"/", "/a", false, false},
        {"/report", "/report", true, true},
        {"/report", "/report/", true, true},
        {"/report", "/report/x", false, false},
        {"/report", "/reports", false, false},
        {"/report", "/Report", false, false},
        {"/files/*", "/files/a", true, true},
        {"/files/*", "/files/a/", true, true},
        {"/files/*", "/files/a/b/c", true, true},
        {"/files/*", "/files", true, false},
        {"/files/*", "/files/", true, false},
        {"/files/*", "/filesx", false, false},
        {"/files/*", "/", false, false},
        {"/*", "/", true, false},
        {"/*", "/a", true, true},
        {"/*", "/a/b", true, true},
        {"/users/*/export", "/users/7/export", true, true},
        {"/users/*/export", "/users/7/export/x", false, false},
        {"/users/*/export", "/users/export", false, false},
        {"/users/*/*", "/users/7", true, false},
        {"/users/*/*", "/users/7/x", true, true},
        {"/users/*/*", "/users", false, false},
        {"/.../~x-y_z.", "/.../~x-y_z.", true, true},
    }));
    CAPTURE(each.pattern, each.path);
    CHECK(covers(each.pattern, each.path, gate::paid) == each.paid);
    CHECK(covers(each.pattern, each.path, gate::free) == each.free);
}

TEST_CASE("a pattern that can be read in two ways is refused, with what to write", "[api][pattern]")
{
    struct row
    {
        const char* pattern;
        const char* words;
    };
    const auto each = GENERATE(values<row>({
        {"", "write /"},
        {"report", "does not begin with a slash: write /report"},
        {"*/x", "write /*/x"},
        {"*", "write /*"},
        {"/premium*", "has a * beside other letters, where it stands for nothing: write /premium/*"},
        {"/a/premium**", "write /a/premium/* for all below /a/premium"},
        {"/*.html", "write /* for any one segment, or each path by itself"},
        {"/a/*x*", "write /a/* for any one segment"},
        {"/a/x*y/b", "write /a/* for any one segment"},
        {"/**", "write /* at the end for all below /"},
        {"/files/**", "write /files/* at the end for all below /files/"},
        {"/report/", "write /report for the path with and without it, or /report/* for all below"},
        {"/a/*/", "write /a/* for the path with and without it"},
        {"//", "holds an empty segment, and no path of a request does: write /"},
        {"/a//b", "write /a/b"},
        {"/a//", "write /a/"},
        {"/./a", "holds a \".\" segment"},
        {"/a/..", "holds a \"..\" segment"},
        {"/a?b", "holds \"?\""},
        {"/a#b", "holds \"#\""},
        {"/a%2fb",
         "holds \"%\": a pattern has letters, digits and / _ . ~ - * only, no escapes and no query"},
        {"/a%2Fb", "no escapes"},
        {"/a;b", "holds \";\""},
        {"/a\\b", "holds \"\\\""},
        {"/a ", "holds a space"},
        {" /a", "does not begin with a slash"},
        {"/a\n", "holds a space or another character"},
        {"/\xc3\xa4", "holds a space or another character"},
        {"/{id}", "holds \"{\""},
        {"/:id", "holds \":\""},
    }));
    CAPTURE(each.pattern);
    const auto pattern = path_pattern::parse(each.pattern);
    REQUIRE(pattern.has_error());
    CHECK(pattern.error().code() == errc::invalid);
    CHECK_THAT(
        pattern.error().message(), Catch::Matchers::StartsWith("a path below the offer's such as /report")
    );
    CHECK_THAT(pattern.error().message(), Catch::Matchers::Contains(each.words));
}

TEST_CASE("patterns of one meaning are written alike", "[api][pattern]")
{
    CHECK(path_pattern::parse("/").value() == path_pattern());
    CHECK(path_pattern::parse("/a").value() == path_pattern::parse("/a").value());
    CHECK_FALSE(path_pattern::parse("/a").value() == path_pattern::parse("/A").value());
    CHECK(path_pattern::parse("/a/*").value().text() == "/a/*");
}

TEST_CASE("names come before any segment, long before short, ends before what goes on", "[api][pattern]")
{
    const auto before = [](const char* one, const char* other) {
        return path_pattern::parse(one).value().is_more_specific_than(path_pattern::parse(other).value());
    };
    CHECK(before("/a/b", "/a/*"));
    CHECK(before("/a", "/a/*"));
    CHECK(before("/a/*", "/*"));
    CHECK(before("/a/*", "/*/b"));
    CHECK(before("/a/*/c", "/a/*"));
    CHECK(before("/a/*/c", "/*/b/c"));
    CHECK(before("/*/*", "/*"));
    CHECK(before("/", "/*"));
    CHECK_FALSE(before("/*", "/"));
    CHECK_FALSE(before("/a", "/a"));
}
