#include "catch.hpp"
#include "cli/yaml.hpp"

#include <portitor/core/characters.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::cli;

namespace json = boost::json;

namespace {

json::value parse_one(const std::string& text)
{
    const auto documents = parse_yaml(text);
    INFO(text);
    REQUIRE(documents.has_value());
    REQUIRE(documents->size() == 1);
    return documents->front();
}

json::value scalar(const std::string& text)
{
    return parse_one("a: " + text).at("a");
}

}  // namespace

TEST_CASE("plain scalars are what YAML's core schema says", "[once][yaml]")
{
    for (const char* text : {"", "~", "null", "Null", "NULL"})
        CHECK(scalar(text).is_null());
    for (const char* text : {"true", "True", "TRUE"})
        CHECK(scalar(text) == json::value(true));
    for (const char* text : {"false", "False", "FALSE"})
        CHECK(scalar(text) == json::value(false));
    CHECK(scalar("0") == json::value(0));
    CHECK(scalar("-12") == json::value(-12));
    CHECK(scalar("+12") == json::value(12));
    CHECK(scalar("9223372036854775807") == json::value(std::int64_t(9223372036854775807)));
    CHECK(scalar("0x1F") == json::value(31));
    CHECK(scalar("0o17") == json::value(15));
    CHECK(scalar("0.01") == json::value(0.01));
    CHECK(scalar("1e3") == json::value(1000.0));
    CHECK(scalar(".5") == json::value(0.5));
    CHECK(scalar("-1.5E-1") == json::value(-0.15));
    CHECK(scalar("10000000000000000000").is_double());
}

TEST_CASE("every other plain scalar is text", "[once][yaml]")
{
    for (const char* text :
         {"hello",
          "nan",
          "inf",
          "infinity",
          "Nan",
          "yes",
          "on",
          "tRUE",
          "0,01",
          "1.2.3",
          "1_000",
          "+",
          ".",
          "e3",
          "1e",
          "0x",
          "0xg",
          "0o9",
          "--1",
          "+-1",
          "2026-11-24T20:00:00Z",
          "12:30",
          "/services/hello",
          "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
          "0x-1",
          "0x1.8p3",
          ".inf",
          "-.INF",
          ".nan"})
    {
        INFO(text);
        CHECK(scalar(text) == json::value(text));
    }
}

TEST_CASE("what is quoted is text", "[once][yaml]")
{
    for (const char* text : {"0.01", "1", "true", "null", "~", "", "1e3", "0x10"})
    {
        INFO(text);
        CHECK(scalar(std::string("\"") + text + "\"") == json::value(text));
        CHECK(scalar(std::string("'") + text + "'") == json::value(text));
        CHECK(scalar(std::string("!!str ") + (*text ? text : "\"\"")) == json::value(text));
    }
    CHECK(scalar("|\n  0.01\n") == json::value("0.01\n"));
    CHECK(scalar(">-\n  12\n") == json::value("12"));
}

TEST_CASE("several documents, without the empty ones", "[once][yaml]")
{
    const auto documents = parse_yaml("---\n# nothing\n---\na: 1\n---\n- 2\n- {b: [c, \"3\"]}\n---\n");
    REQUIRE(documents.has_value());
    REQUIRE(documents->size() == 2);
    CHECK(documents->at(0) == json::parse(R"({"a": 1})"));
    CHECK(documents->at(1) == json::parse(R"([2, {"b": ["c", "3"]}])"));
    CHECK(parse_yaml("")->empty());
    CHECK(parse_yaml("# nothing\n")->empty());
    CHECK(
        parse_one(R"({"json": ["is", {"yaml": true}], "n": null})") ==
        json::parse(R"({"json": ["is", {"yaml": true}], "n": null})")
    );
}

TEST_CASE("anchors and aliases are followed", "[once][yaml]")
{
    CHECK(parse_one("a: &x {b: 1}\nc: *x\n") == json::parse(R"({"a": {"b": 1}, "c": {"b": 1}})"));
}

TEST_CASE("broken YAML is refused with its line", "[once][yaml]")
{
    struct broken
    {
        const char* text;
        const char* message;
    };
    const auto row = GENERATE(values<broken>({
        {"a: 1\nb: [1, 2\nc: 3\n", "line "},
        {"a: 1\n\tb: 2\n", "line 2: "},
        {"a: 1\nb: *nowhere\n", "line 2: "},
        {"a: 1\n b: 2\n", "line 2: "},
        {"---\na: 1\n---\nb: }\n", "line 4: "},
        {"a: 1\n? [b]\n: 2\n", "line 2: a key must be text"},
        {"a: 1\nb: 2\na: 3\n", "line 3: the key \"a\" comes twice"},
        {"a: 1\n? {b: c}\n: 2\n", "line 2: "},
    }));
    INFO(row.text);
    const auto documents = parse_yaml(row.text);
    REQUIRE(documents.has_error());
    CHECK(documents.error().code() == errc::invalid);
    CHECK_THAT(documents.error().message(), Catch::Matchers::StartsWith(row.message));
    CHECK(documents.error().message().find('\n') == std::string::npos);
}

TEST_CASE("YAML that is nested without end is refused", "[once][yaml]")
{
    for (const std::size_t depth : {100, 100'000})
    {
        INFO(depth);
        CHECK(parse_yaml(std::string(depth, '[')).has_error());
        CHECK(parse_yaml("a: " + std::string(depth, '[') + std::string(depth, ']')).has_error());
    }
}

TEST_CASE("aliases cannot multiply a small text into a large one", "[once][yaml]")
{
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i)
    {
        const std::string one = fmt::format("*a{}", i - 1);
        text += fmt::format(
            "a{}: &a{} [{}, {}, {}, {}, {}, {}, {}, {}]\n", i, i, one, one, one, one, one, one, one, one
        );
    }
    const auto documents = parse_yaml(text);
    REQUIRE(documents.has_error());
    CHECK_THAT(documents.error().message(), Catch::Matchers::StartsWith("line "));
}

TEST_CASE("JSON comes back from its YAML unchanged", "[once][yaml]")
{
    const json::value value = json::parse(R"({
        "apiVersion": "obol.org/v1alpha1", "empty": "", "text": "hello",
        "like": ["0.01", "1", "-1", "+1", "true", "True", "null", "~", "1e3", "0x10", "0o7", ".5", ".inf", ".nan", "nan",
                 "inf", "yes", "no", "on", "off", "y", "n", "2026-11-24", "1_000", "12:30:45", "-", "=", "<<"],
        "odd": ["a: b", "# c", " d ", "e\nf", "g\th", "\"", "'", "*x", "&y", "!z", "%a", "@b", "`c`", "[d", "{e", "- f",
                "? g", "|", ">", "ü", "\u0001", "---", "...", "a #b", "trailing:", "\\"],
        "numbers": [0, -1, 9223372036854775807, 1.5],
        "flags": [true, false, null],
        "nested": {"a": {"b": [[], {}, [{"c": 1}]]}, "key: odd": 1, "true": 2, "1": 3, "": 4}
    })");
    const std::string text = to_yaml(value);
    CHECK(text.back() == '\n');
    CHECK(json::serialize(parse_one(text)) == json::serialize(value));
}

TEST_CASE("what hides or turns text is written as an escape, and is the same text", "[cli][yaml]")
{
    const json::value told{
        {"a\u202e", "abc\u202edef \u00e4"},
        {"tags", {"\U000E0041", "\u061c", "\x7f", "\u009b", "\ufeff", "two\nlines\u200b"}},
        {"plain", "\u00e4 \u65e5\u672c"}};
    const std::string text = to_yaml(told);
    INFO(text);
    CHECK(text.find("abc\\u202edef \\xe4") != text.npos);
    CHECK(text.find("\u00e4 \u65e5\u672c") != text.npos);
    for (std::string_view rest = text; !rest.empty();)
    {
        const character next = first_character(rest);
        CHECK((next.point == '\n' || !is_hidden(next.point)));
        rest.remove_prefix(next.bytes.size());
    }
    CHECK(parse_one(text) == told);
}

TEST_CASE("text that another YAML reader takes for something else is quoted", "[once][yaml]")
{
    // kubectl reads YAML 1.1, where these are booleans, numbers and times.
    for (const char* text :
         {"yes",
          "No",
          "on",
          "OFF",
          "y",
          "N",
          "True",
          "1_000",
          "0b11",
          "017",
          "0x1F",
          "12:30:45",
          ".inf",
          "0.01"})
        CHECK(to_yaml(json::value(text)) == fmt::format("\"{}\"\n", text));
    for (const char* text : {"hello", "base-sepolia", "/services/hello", "so-hello"})
        CHECK(to_yaml(json::value(text)) == fmt::format("{}\n", text));
}

TEST_CASE("aliases of a long text do not fill the memory", "[cli][yaml]")
{
    std::string bomb = "a: &a \"" + std::string(100'000, 'x') + "\"\nb: [";
    for (int i = 0; i < 1000; ++i)
        bomb += "*a, ";
    bomb += "*a]\n";
    const auto read = parse_yaml(bomb);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message().find("too long, by its aliases") != std::string::npos);
    CHECK(parse_yaml("a: &a some text\nb: [*a, *a, *a]\n").has_value());
}
