#include "catch.hpp"
#include "cli/output/table.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <sstream>

using namespace portitor::cli;

TEST_CASE("texts of others cannot move a terminal's cursor", "[cli][output]")
{
    CHECK(printable("plain, ä and 日本") == "plain, ä and 日本");
    CHECK(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
    CHECK(printable("two\nlines\tand a tab") == "two lines and a tab");
    CHECK(printable("\x7f") == "\\x7f");
    // C1 controls, marks of direction, and what is not UTF-8.
    CHECK(printable("\xc2\x9b") == "\\u009b");
    CHECK(printable("\xe2\x80\xae") == "\\u202e");
    CHECK(printable("\U000E0041\u2060\u00ad\u061c\ufe0f") == "\\U000e0041\\u2060\\u00ad\\u061c\\ufe0f");
    CHECK(printable("\xff\xc3") == "\\xff\\xc3");
    CHECK(printable(std::string("\0", 1)) == "\\x00");
    CHECK(printable("abcdef", 3) == "abc…");
    CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("JSON with texts of others cannot either, and stays what it is", "[cli][output]")
{
    CHECK(printable_json("{\"ä\": [1,\n2]}\n") == "{\"ä\": [1,\n2]}\n");
    CHECK(
        printable_json("\"\xc2\x9b"
                       "2J\"") == "\"\\u009b2J\""
    );
    CHECK(printable_json("\"\x7f\"") == "\"\\u007f\"");
    CHECK(printable_json("\"\xe2\x80\xae\"") == "\"\\u202e\"");
    CHECK(printable_json("\"\U000E0041\u061c\"") == "\"\\udb40\\udc41\\u061c\"");
    CHECK(printable_json("\"\xc3\"") == "\"\\ufffd\"");
    CHECK(printable_json("\"\xff\xe2\x80\"") == "\"\\ufffd\\ufffd\\ufffd\"");
    const boost::json::value told{{"of", "a\xc2\x9b\x1b[2J\xe2\x80\xae\n\U000E0041"}};
    CHECK(boost::json::parse(printable_json(boost::json::serialize(told))) == told);
}

TEST_CASE("ages are written as kubectl writes them", "[cli][output]")
{
    using std::chrono::seconds;
    CHECK(age_in_words(seconds(-5)) == "0s");
    CHECK(age_in_words(seconds(119)) == "119s");
    CHECK(age_in_words(seconds(120)) == "2m");
    CHECK(age_in_words(seconds(2 * 3600 - 1)) == "119m");
    CHECK(age_in_words(seconds(7200)) == "2h");
    CHECK(age_in_words(seconds(86400 * 9 + 5)) == "9d");
}

TEST_CASE("long texts are broken at spaces", "[cli][output]")
{
    CHECK(wrap("one two three", 7, 2) == "one two\n  three");
    CHECK(wrap("one", 1, 2) == "one");
    CHECK(wrap("", 10, 2).empty());
    CHECK(wrap("a verylongword b", 5, 0) == "a\nverylongword\nb");
}

TEST_CASE("a table's columns are as wide as what stands in them", "[cli][output]")
{
    table all({"NAME", "READY", "URL"});
    all.add({"hello", {"True", tone::good}, "https://x"});
    all.add({"ä\n", "False", ""});
    std::ostringstream plain;
    all.print(plain, palette(false), 2);
    CHECK(plain.str() == "  NAME    READY   URL\n  hello   True    https://x\n  ä       False   \n");
    std::ostringstream coloured;
    all.print(coloured, palette(true));
    CHECK(coloured.str().find("\x1b[32mTrue\x1b[0m    https://x") != std::string::npos);
}
