#include "catch.hpp"
#include "cli/output/line_diff.hpp"
#include "cli/output/masked.hpp"

#include <boost/json/parse.hpp>

#include <random>
#include <sstream>

using namespace portitor;
using namespace portitor::cli;

namespace {

using lines = std::vector<std::string>;

std::string numbered(int from, int to)
{
    std::string out;
    for (int i = from; i < to; ++i)
        out += std::to_string(i) + "\n";
    return out;
}

lines split(const std::string& text)
{
    std::istringstream in(text);
    lines out;
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

/// What `patch` makes of a text.
lines patched(const lines& before, const lines& diff)
{
    lines out;
    std::size_t at = 0;
    for (const std::string& each : diff)
    {
        if (each.starts_with("@@"))
        {
            const std::size_t first = std::stoul(each.substr(4)) - 1;
            for (; at < first; ++at)
                out.push_back(before.at(at));
        }
        else if (each[0] == '+')
            out.push_back(each.substr(1));
        else
        {
            CHECK(before.at(at) == each.substr(1));
            if (each[0] == ' ')
                out.push_back(before[at]);
            ++at;
        }
    }
    for (; at < before.size(); ++at)
        out.push_back(before[at]);
    return out;
}

}  // namespace

TEST_CASE("a diff has what changes, and three lines around it", "[cli][diff]")
{
    CHECK(line_diff("a\nb\n", "a\nb\n").empty());
    CHECK(line_diff("", "a\n") == lines{"@@ -1,0 +1,1 @@", "+a"});
    CHECK(line_diff("a\nb\nc\n", "a\nB\nc\n") == lines{"@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"});
    const lines far = line_diff(numbered(0, 20), "x\n" + numbered(0, 19) + "y\n");
    CHECK(
        far ==
        lines{
            "@@ -1,3 +1,4 @@", "+x", " 0", " 1", " 2", "@@ -17,4 +18,4 @@", " 16", " 17", " 18", "-19", "+y"}
    );
}

TEST_CASE("a diff turns one text into the other", "[cli][diff]")
{
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round)
    {
        const auto text = [&] {
            std::string out;
            for (unsigned i = random() % 30; i > 0; --i)
                out += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
            return out;
        };
        const std::string before = text();
        const std::string after = text();
        CHECK(patched(split(before), line_diff(before, after)) == split(after));
    }
}

TEST_CASE("a diff of very long texts is cut", "[cli][diff]")
{
    const lines cut = line_diff(numbered(0, 5000), numbered(5000, 10000));
    REQUIRE(cut.size() == 500);
    CHECK(cut.back() == "… and 9502 lines more");
}

TEST_CASE("a URL is shown without what opens doors", "[cli][masked]")
{
    const std::pair<const char*, const char*> cases[] = {
        {"https://f.example/x", "https://f.example/x"},
        {"https://user:word@f.example:8443/x", "https://***@f.example:8443/x"},
        {"https://a@b@f.example", "https://***@f.example"},
        {"https://f.example/x?key=abc&y&=z#s", "https://f.example/x?key=***&***&=***#***"},
        {"https://f.example?key", "https://f.example?***"},
        {"https://user:wo/rd@f.example/x", "https://***@f.example/x"},
        {"https://user:wo?rd#1@f.example/x", "https://***@f.example/x"},
        {"https://f.example:8443/@scope/x", "https://f.example:8443/@scope/x"},
        {"https://[::1]/@scope", "https://[::1]/@scope"},
        {"eip155:84532", "eip155:84532"},
        {"see https://f.example/?k=1", "see https://f.example/?k=1"},
        {"", ""}};
    for (const auto& [plain, shown] : cases)
        CHECK(masked_url(plain) == shown);
    const std::pair<const char*, const char*> texts[] = {
        {"Invalid value: \"https://u:p w@f/?k=v\": no", "Invalid value: \"https://***@f/?k=***\": no"},
        {"see https://f.example/?k=1, or https://u@g.", "see https://f.example/?k=***, or https://***@g."},
        {"\"https://a\",\"https://u:p@b?x\"", "\"https://a\",\"https://***@b?***\""},
        {"\"https://u:\\\"p@b\"", "\"https://***@b\""},
        {"a=https://u:p@bhttps://v:q@c", "a=https://***@bhttps://***@c"},
        {"://", "://"},
        {"https://", "https://"},
        {"a: b", "a: b"}};
    for (const auto& [plain, shown] : texts)
        CHECK(masked_urls(plain) == shown);
    const auto all = masked(boost::json::parse(R"({"a":["http://u@h/",1],"b":{"c":"http://h/?k=v"}})"));
    CHECK(all == boost::json::parse(R"({"a":["http://***@h/",1],"b":{"c":"http://h/?k=***"}})"));
}
