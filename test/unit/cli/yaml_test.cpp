#include "catch.hpp"
#include "cli/yaml.hpp"

#include <portitor/core/characters.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <sstream>

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

TEST_CASE("values and keys are what kubectl makes of them", "[cli][yaml]")
{
    // test/e2e/test_yaml_parity.py asks kubectl for the same.
    std::ifstream file("test/unit/cli/yaml_cases.json");
    std::stringstream text;
    text << file.rdbuf();
    const json::value cases = json::parse(text.str());
    for (const json::value& each : cases.at("taken").as_array())
    {
        const std::string written(each.at(0).as_string());
        INFO(written);
        CHECK(scalar(written) == each.at(1));
    }
    for (const json::value& each : cases.at("refused").as_array())
    {
        INFO(each);
        CHECK(parse_yaml("a: " + std::string(each.as_string())).has_error());
    }
}

TEST_CASE("amounts stay as they are written where that is asked for", "[cli][yaml]")
{
    const auto read = parse_yaml("{price: 0.10, yes: on, n: 017}", plain_scalars::as_text);
    REQUIRE(read.has_value());
    CHECK(read->front() == json::parse(R"({"price": "0.10", "yes": "on", "n": "017"})"));
}

TEST_CASE("all mistakes of a text are named, and the documents without any are read", "[cli][yaml]")
{
    const yaml_text read =
        read_yaml("a: 1\n---\nb: [1\n---\nc: 1\nd: {e: 1, e: 2}\nc: 2\n--- \nf: .inf\n---\ng: 1\n");
    REQUIRE(read.documents.size() == 3);
    CHECK(read.documents.front().value == json::parse(R"({"a": 1})"));
    CHECK(read.documents.back().value == json::parse(R"({"g": 1})"));
    CHECK(read.documents.back().line == 10);
    REQUIRE(read.mistakes.size() == 4);
    CHECK_THAT(read.mistakes[0], Catch::Matchers::StartsWith("line 4: "));
    CHECK(read.mistakes[1] == "line 6: the key \"e\" comes twice");
    CHECK(read.mistakes[2] == "line 7: the key \"c\" comes twice");
    CHECK(read.mistakes[3] == "line 9: .inf is no number that JSON has");

    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "a: [\n---\nb: {c: 1, c: 2}\n---\n";
    const std::vector<std::string> told = read_yaml(many).mistakes;
    CHECK(told.size() == most_mistakes + 1);
    CHECK(told.back() == "and more mistakes");
}

TEST_CASE("a list of thousands of offers is not too long", "[cli][yaml]")
{
    std::string text = "kind: List\nitems:\n";
    for (int i = 0; i < 3000; ++i)
        text += fmt::format(
            "- {{kind: ServiceOffer, metadata: {{name: a{}}}, spec: {{a: [{}]}}}}\n",
            i,
            "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26"
        );
    CHECK(parse_one(text).at("items").as_array().size() == 3000);
}

TEST_CASE("an alias may be no part of what it means", "[cli][yaml]")
{
    CHECK(parse_yaml("a: &a [*a]\n").has_error());
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
    // As a key, and as copies inside of copies.
    std::string keys = "a: &a \"" + std::string(100'000, 'x') + "\"\nb: [";
    for (int i = 0; i < 100; ++i)
        keys += "{*a : 1}, ";
    CHECK(parse_yaml(keys + "]\n").has_error());
    std::string nested = "\"" + std::string(100'000, 'x') + "\"";
    for (int i = 0; i < 30; ++i)
        nested = fmt::format("&a{} [{}]", i, nested);
    CHECK(parse_yaml(nested).has_error());
    CHECK(parse_yaml("a: &a some text\nb: [*a, *a, *a]\n").has_value());
}
