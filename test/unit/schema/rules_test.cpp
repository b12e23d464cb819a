#include "cases.hpp"
#include "schema/cel/program.hpp"
#include "schema/node.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch.hpp>

using namespace portitor;
namespace json = boost::json;
using schema::cel::program;

namespace {

std::unique_ptr<schema::node> schema_of(const json::value& written)
{
    auto read = schema::read_schema(written.as_object());
    REQUIRE(read.has_value());
    return std::move(*read);
}

const json::value texts = json::parse(R"({"type": "string", "maxLength": 100})");

const json::value everything = json::parse(R"({
    "type": "object",
    "properties": {
        "text": {"type": "string"}, "number": {"type": "integer"},
        "inner": {"type": "object", "properties": {"a": {"type": "string"}}},
        "list": {"type": "array", "items": {"type": "string"}}
    }
})");

// What is wrong with a rule about that.
std::string refusal(const std::string& rule, const json::value& about = everything)
{
    const auto self = schema_of(about);
    const auto compiled = program::compile(rule, *self);
    return compiled ? "" : compiled.error().message();
}

}  // namespace

TEST_CASE("rules hold for the values that the API server takes", "[schema][cel]")
{
    const json::value cases = test::read_cases("rules.yaml");
    for (const json::value& each : cases.as_array())
    {
        const auto self = schema_of(each.at("schema"));
        const std::string rule(each.at("rule").as_string());
        const auto compiled = program::compile(rule, *self);
        INFO(rule << (compiled ? "" : compiled.error().message()));
        REQUIRE(compiled.has_value());
        for (const char* const which : {"holds", "fails"})
            for (const json::value& value : each.at(which).as_array())
            {
                const auto holds = compiled->holds(value, *self);
                INFO(json::serialize(value) << (holds ? "" : holds.error().message()));
                CHECK((holds && *holds) == (std::string(which) == "holds"));
            }
    }
}

TEST_CASE("what is not known in a rule is said, and never passed over", "[schema][cel]")
{
    for (const char* const rule : {
             "self.text.lowerAscii() == 'a'",
             "url(self.text).getHost() == 'a'",
             "self.list.map(x, x) == ['a']",
             "self.list.filter(x, x != 'a').size() == 0",
             "type(self.text) == string",
             "b'a' == b'a'",
             "1u == 1u",
             "self.text == '''a'''",
             "{'a': 1}['a'] == 1",
             "other == 1",
             "self.text.matches(self.text)",
             "self.text == 'a' // why",
             "self.?text.hasValue()",
             "'\\u00e9' == self.text",
             "self.list == ['a']",
             "self.inner == self.inner",
             "cel.bind(x, 1, x == 1)",
             "self.number == 0x10",
             "timestamp(self.text) + duration('1h') > timestamp(self.text)",
         })
    {
        INFO(rule);
        CHECK_THAT(refusal(rule), Catch::Contains("this rule") && Catch::Contains("known"));
    }
}

TEST_CASE("a rule is checked against the schema of what it is about", "[schema][cel]")
{
    for (const char* const rule : {
             "self.txt == 'a'",
             "has(self.inner.b)",
             "self.text == 1",
             "self.text < self.number",
             "self.text && true",
             "!self.number",
             "self.number.size() == 1",
             "self.text.contains(1)",
             "self.text + 1 == 'a'",
             "self.text",
             "self.number",
             "self.list.all(x, x > 1)",
             "self.text.all(x, true)",
             "1 in self.list",
             "self.text ? true : false",
             "true ? self.text : self.number",
             "['a', 1].size() == 2",
             "self.text.a == 'a'",
             "self.list['a'] == 'a'",
             "duration(self.number) == duration('1h')",
         })
    {
        INFO(rule);
        CHECK(!refusal(rule).empty());
    }
}

TEST_CASE("what is no rule is refused", "[schema][cel]")
{
    for (const char* const rule :
         {"",
          "self.text ==",
          "(self.text == 'a'",
          "self.text == 'a')",
          "self..text",
          "self.text = 'a'",
          "'a",
          "self.text.matches('(')",
          "self.text.size(1) == 1",
          "has(self)",
          "self.list.all(x)",
          "self.text == \"a'",
          "true ? true",
          "self.list[0",
          "[1, 2",
          "99999999999999999999 == 1",
          "\x01",
          "1 2"})
    {
        INFO(rule);
        CHECK(!refusal(rule).empty());
    }
    CHECK_THAT(
        refusal(std::string(200, '(') + "true" + std::string(200, ')')), Catch::Contains("too deeply")
    );
    CHECK_THAT(refusal(std::string(200, '!') + "true"), Catch::Contains("too deeply"));
}

TEST_CASE("a rule that compares with an older object says nothing of a new one", "[schema][cel]")
{
    const auto self = schema_of(texts);
    const auto compiled = program::compile("self == oldSelf", *self);
    REQUIRE(compiled.has_value());
    CHECK(compiled->compares_with_old());
    CHECK_FALSE(program::compile("self == 'oldSelf'", *self)->compares_with_old());
}
