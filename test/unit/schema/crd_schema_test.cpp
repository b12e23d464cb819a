#include "cases.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch.hpp>
#include <fstream>
#include <sstream>

using namespace portitor;
namespace json = boost::json;
using schema::crd_schema;

namespace {

std::string file(const std::string& name)
{
    std::ostringstream out;
    out << std::ifstream(name, std::ios::binary).rdbuf();
    return out.str();
}

// A CRD of one kind with a field whose schema is written in JSON.
std::string crd_with(const std::string& field)
{
    return R"({"spec": {"group": "test.example", "names": {"kind": "Test"}, "versions": [{"name": "v1",
        "subresources": {"status": {}}, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"field": )" +
           field + "}}}}}}]}}";
}

// The problems of a value of that field, a line each.
std::string problems_of(const std::string& field, const std::string& value)
{
    const auto read = crd_schema::parse(crd_with(field));
    if (!read)
        return read.error().message();
    std::string out;
    const json::value object = json::parse(
        R"({"apiVersion": "test.example/v1", "kind": "Test", "metadata": {"name": "a"}, "spec": {"field": )" +
        value + "}}"
    );
    for (const auto& each : read->validate(object.as_object()))
        out += each.text() + '\n';
    return out;
}

json::object offer()
{
    return test::object_of({});
}

}  // namespace

TEST_CASE("every CRD of the chart is compiled in, and can be read with all of its rules", "[schema]")
{
    for (const auto& [kind, plural] :
         {std::pair("ServiceOffer", "serviceoffers"),
          std::pair("PaymentRoute", "paymentroutes"),
          std::pair("RegistrationRequest", "registrationrequests")})
    {
        const std::string text = file("charts/portitor/files/crds/" + std::string(plural) + ".obol.org.yaml");
        CHECK(schema::crd_text(kind) == text);
        const auto read = crd_schema::parse(text);
        INFO((read ? "" : read.error().message()));
        REQUIRE(read.has_value());
        CHECK(read->kind() == kind);
        CHECK(read->api_version() == "obol.org/v1alpha1");
    }
    CHECK(schema::crd_kinds().size() == 3);
    CHECK(schema::crd_text("Service").empty());
}

TEST_CASE("a keyword that is not known is no schema", "[schema]")
{
    for (const char* const field : {
             R"({"type": "string", "maxLen": 1})",
             R"({"type": "string", "format": "uuid"})",
             R"({"type": "text"})",
             R"({"description": "no type"})",
             R"({"type": "string", "maxLength": -1})",
             R"({"type": "string", "pattern": "("})",
             R"({"type": "object", "additionalProperties": false})",
             R"({"anyOf": [{"type": "string"}]})",
             R"({"type": "array", "x-kubernetes-list-type": "bag", "items": {"type": "string"}})",
             R"({"type": "string", "x-kubernetes-validations": [{"rule": "self == ''", "messageExpression": "''"}]})",
             R"({"type": "string", "x-kubernetes-validations": [{"rule": "isURL(self) "}]})",
             R"({"type": "string", "x-kubernetes-validations": [{"message": "m"}]})",
         })
    {
        INFO(field);
        const auto read = crd_schema::parse(crd_with(field));
        REQUIRE_FALSE(read.has_value());
        CHECK_THAT(read.error().message(), Catch::Contains("field") && Catch::Contains("Test"));
    }
    for (const char* const crd : {"", "x", "[]", "spec: {}", "spec: {versions: []}", "a: [", "a: &a [*a]"})
        CHECK_FALSE(crd_schema::parse(crd).has_value());
}

TEST_CASE("a problem is told as the API server does", "[schema]")
{
    CHECK(
        problems_of(R"({"type": "integer", "minimum": 1})", "0") ==
        "spec.field: Invalid value: 0: should be at least 1\n"
    );
    CHECK(
        problems_of(R"({"type": "integer", "maximum": 2, "exclusiveMaximum": true})", "2") ==
        "spec.field: Invalid value: 2: should be less than 2\n"
    );
    CHECK(
        problems_of(R"({"type": "string", "enum": ["a", "b"]})", "\"c\"") ==
        "spec.field: Unsupported value: \"c\": supported values: \"a\", \"b\"\n"
    );
    CHECK(
        problems_of(R"({"type": "string"})", "1") ==
        "spec.field: Invalid value: 1: must be of type string, not integer\n"
    );
    CHECK(
        problems_of(
            R"({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}})", "{}"
        ) == "spec.field.a: Required value\n"
    );
    CHECK(problems_of(R"({"type": "object"})", R"({"a": 1})") == "unknown field \"spec.field.a\"\n");
    CHECK(
        problems_of(
            R"({"type": "string", "x-kubernetes-validations": [{"rule": "self == 'a'", "message": "be a"}]})",
            "\"b\""
        ) == "spec.field: Invalid value: \"b\": be a\n"
    );
    CHECK(
        problems_of(
            R"({"type": "string", "x-kubernetes-validations": [{"rule": "self == 'a'"}]})", "\"b\""
        ) == "spec.field: Invalid value: \"b\": failed rule: self == 'a'\n"
    );
    CHECK(
        problems_of(
            R"({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}})",
            R"(["a", "b", "a"])"
        ) == "spec.field[2]: Duplicate value: \"a\": another item of the list has the same\n"
    );
}

TEST_CASE("a value that is no time is told once", "[schema]")
{
    const std::string field = R"=({"type": "string", "format": "date-time", "x-kubernetes-validations": [
        {"rule": "self > timestamp('2030-01-01T00:00:00Z')", "message": "too early"}]})=";
    CHECK(
        problems_of(field, "\"soon\"") ==
        "spec.field: Invalid value: \"soon\": must be of type date-time, such as 2030-01-01T00:00:00Z\n"
    );
    // The format takes a lower-case letter; who compares it does not.
    CHECK(
        problems_of(field, "\"2040-01-01t00:00:00Z\"") ==
        "spec.field: Invalid value: \"2040-01-01t00:00:00Z\": \"2040-01-01t00:00:00Z\" is no time such as "
        "2030-01-01T00:00:00Z: too early\n"
    );
}

TEST_CASE("schemas have all that a CRD may ask", "[schema]")
{
    const std::string either = R"({"x-kubernetes-int-or-string": true})";
    CHECK(problems_of(either, "1").empty());
    CHECK(problems_of(either, "\"1\"").empty());
    CHECK_THAT(
        problems_of(either, "true"), Catch::Contains("must be of type integer or string, not boolean")
    );
    CHECK(problems_of(R"({"type": "string", "nullable": true})", "null").empty());
    CHECK(problems_of(
              R"({"type": "object", "x-kubernetes-preserve-unknown-fields": true})", R"({"a": {"b": 1}})"
    )
              .empty());
    CHECK_THAT(
        problems_of(R"({"type": "string", "pattern": "^a"})", "\"b\""), Catch::Contains("should match '^a'")
    );
    CHECK_THAT(
        problems_of(R"({"type": "integer", "format": "int32"})", "2147483648"), Catch::Contains("32 bits")
    );
    CHECK_THAT(
        problems_of(R"({"type": "array", "minItems": 1, "items": {"type": "string"}})", "[]"),
        Catch::Contains("at least 1 items")
    );
    CHECK_THAT(
        problems_of(
            R"({"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}})", "{}"
        ),
        Catch::Contains("at least 1 properties")
    );
    CHECK_THAT(
        problems_of(
            R"({"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}})",
            R"({"a": "", "b": ""})"
        ),
        Catch::Contains("Too many")
    );
    CHECK(problems_of(R"({"type": "number", "minimum": 0.5})", "0.5").empty());
    CHECK(
        problems_of(R"({"type": "integer"})", "[0.5]") ==
        "spec.field: Invalid value: a list of 1 item: must be of type integer, not array\n"
    );
    CHECK_THAT(
        problems_of(R"({"type": "boolean"})", "80.0"), Catch::Contains("Invalid value: 80: must be of type")
    );
    CHECK_THAT(problems_of(R"({"type": "number", "minimum": 0.5})", "0.25"), Catch::Contains("at least 0.5"));
}

TEST_CASE("an object of another kind or version is refused", "[schema]")
{
    json::object other = offer();
    other["apiVersion"] = "obol.org/v1";
    other.erase("kind");
    const auto problems = crd_schema::load("ServiceOffer").validate(other);
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].text() == "apiVersion: Invalid value: \"obol.org/v1\": must be obol.org/v1alpha1");
    CHECK(problems[1].text() == "kind: Required value: must be ServiceOffer");
    CHECK_FALSE(crd_schema::load("ServiceOffer").validate({}).empty());
}

TEST_CASE("what is hostile is cut and escaped", "[schema]")
{
    json::object bad = offer();
    json::object& spec = bad["spec"].as_object();
    spec["\x1b[2J" + std::string(5000, 'k')] = 1;
    spec["type"] = "\x1b]0;\x07\u202e\u009b" + std::string(5000, 'x');
    const auto problems = crd_schema::load("ServiceOffer").validate(bad);
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].field == "spec.\\x1b[2J" + std::string(60, 'k') + "...");
    CHECK(problems[1].value == "\"\\x1b]0;\\x07\\u202e\\u009b" + std::string(57, 'x') + "...\"");
}

TEST_CASE("nobody reads more than fifty problems", "[schema]")
{
    json::object bad = offer();
    json::array routes;
    for (int i = 0; i < 100'000; ++i)
        routes.push_back(json::object{{"path", i}, {"colour", "red"}});
    bad["spec"].as_object()["routes"] = std::move(routes);
    CHECK(crd_schema::load("ServiceOffer").validate(bad).size() == 50);
}

TEST_CASE("defaults are those of the API server", "[schema][defaults]")
{
    json::object sparse = offer();
    json::object& spec = sparse["spec"].as_object();
    spec.erase("type");
    spec["routes"] = json::array{json::object{{"path", "/dear"}, {"gate", nullptr}}};
    spec["registration"] = json::object{{"enabled", nullptr}, {"name", nullptr}};
    spec["hostname"] = nullptr;
    spec["unknown"] = nullptr;
    sparse["status"] = json::object{{"phase", nullptr}};
    crd_schema::load("ServiceOffer").apply_defaults(sparse);
    CHECK(spec.at("type") == "http");
    CHECK(spec.at("upstream").at("healthPath") == "/health");
    CHECK(spec.at("payment").at("scheme") == "exact");
    CHECK(spec.at("payment").at("maxTimeoutSeconds") == 300);
    CHECK(spec.at("payment").at("settlement") == "beforeResponse");
    CHECK(spec.at("routes") == json::array{json::object{{"path", "/dear"}, {"gate", "paid"}}});
    CHECK(spec.at("registration") == json::object{{"enabled", false}});
    CHECK_FALSE(spec.contains("hostname"));
    CHECK(spec.at("unknown").is_null());
    CHECK(sparse.at("status") == json::object{{"phase", nullptr}});
    // Once more changes nothing.
    json::object again = sparse;
    crd_schema::load("ServiceOffer").apply_defaults(again);
    CHECK(again == sparse);
}
