#include "catch.hpp"

#include <portitor/kube/line_splitter.hpp>

#include <string>
#include <vector>

using namespace portitor;
using portitor::kube::line_splitter;

namespace {

std::vector<std::string> feed(line_splitter& lines, std::string_view piece)
{
    std::vector<std::string> out;
    lines.feed(piece);
    for (std::string_view line;;)
    {
        const auto more = lines.next(line);
        if (!more)
            out.push_back(std::string("error ") + to_string(more.error().code()));
        if (!more || !*more)
            return out;
        out.emplace_back(line);
    }
}

}  // namespace

TEST_CASE("lines come out whole, however the stream is cut", "[kube][line_splitter]")
{
    const std::string text = "one\n\ntwo two\nthree\nrest";
    for (std::size_t first = 0; first <= text.size(); ++first)
    {
        for (std::size_t second = first; second <= text.size(); ++second)
        {
            line_splitter lines;
            std::vector<std::string> out;
            for (const std::string& piece :
                 {text.substr(0, first), text.substr(first, second - first), text.substr(second)})
            {
                for (std::string& line : feed(lines, piece))
                    out.push_back(std::move(line));
            }
            CHECK(out == std::vector<std::string>{"one", "", "two two", "three"});
            CHECK(feed(lines, " of it\n") == std::vector<std::string>{"rest of it"});
        }
    }
}

TEST_CASE("a stream may come byte by byte", "[kube][line_splitter]")
{
    line_splitter lines;
    std::string out;
    for (const char byte : std::string("ab\ncd\n\ne\n"))
    {
        for (const std::string& line : feed(lines, std::string_view(&byte, 1)))
            out += line + "|";
    }
    CHECK(out == "ab|cd||e|");
}

TEST_CASE("lines that were not fetched before the next piece are not lost", "[kube][line_splitter]")
{
    line_splitter lines;
    lines.feed("a\nb\n");
    std::string_view line;
    REQUIRE(*lines.next(line));
    CHECK(line == "a");
    CHECK(feed(lines, "c\n") == std::vector<std::string>{"b", "c"});
}

TEST_CASE("a line above the bound is an error, however it is cut", "[kube][line_splitter]")
{
    const std::string longest(10, 'x');
    const std::string longer(11, 'x');
    line_splitter fits(10);
    CHECK(
        feed(fits, "a\n" + longest + "\n" + longest + "\n") == std::vector<std::string>{"a", longest, longest}
    );
    line_splitter whole(10);
    CHECK(feed(whole, "a\n" + longer + "\n") == std::vector<std::string>{"a", "error protocol"});
    line_splitter unfinished(10);
    CHECK(feed(unfinished, longer) == std::vector<std::string>{"error protocol"});
    line_splitter cut(10);
    CHECK(feed(cut, longer.substr(0, 9)).empty());
    CHECK(feed(cut, "xx\n") == std::vector<std::string>{"error protocol"});
}
