#include "catch.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/parse.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
namespace json = boost::json;

namespace {

json::object object_of(const char* text)
{
    return json::parse(text).as_object();
}

object_ptr parsed(const char* text)
{
    return parse_object(object_of(text)).value();
}

bool holds(const char* live, const char* wanted)
{
    return contains(json::parse(live), json::parse(wanted));
}

condition make_condition(std::string type, std::string status, std::string since = "")
{
    condition out;
    out.type = std::move(type);
    out.status = std::move(status);
    out.last_transition_time = std::move(since);
    return out;
}

}  // namespace

TEST_CASE("an object's metadata is read and the rest is kept", "[kube][object]")
{
    const auto read = parsed(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer",
        "metadata": {
            "namespace": "shop", "name": "hello", "uid": "u-1", "resourceVersion": "42", "generation": 3,
            "creationTimestamp": "2026-11-24T20:17:00Z", "finalizers": ["a/b", "c/d"], "labels": {"x": "y"},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Other", "name": "first", "uid": "o-1"},
                {"apiVersion": "v1", "kind": "Pod", "name": "second", "uid": "o-2", "controller": true}]},
        "spec": {"price": "0.01"}, "status": {"phase": "Ready"}})");
    CHECK(read->meta.key() == object_key{"shop", "hello"});
    CHECK(read->meta.key().to_string() == "shop/hello");
    CHECK(read->meta.uid == "u-1");
    CHECK(read->meta.resource_version == "42");
    CHECK(read->meta.generation == 3);
    CHECK(to_rfc3339(read->meta.created) == "2026-11-24T20:17:00Z");
    CHECK_FALSE(read->meta.deleted.has_value());
    CHECK(read->meta.has_finalizer("c/d"));
    CHECK_FALSE(read->meta.has_finalizer("c"));
    CHECK(read->spec().at("price") == "0.01");
    CHECK(read->status().at("phase") == "Ready");
    CHECK(labels_of(*read).at("x") == "y");
    CHECK(read->raw.at("kind") == "ServiceOffer");
}

TEST_CASE("the controller among the owners is found", "[kube][object]")
{
    const auto owned = parsed(R"({"metadata": {"name": "x", "ownerReferences": [
        {"apiVersion": "v1", "kind": "Other", "name": "first", "uid": "o-1", "controller": false},
        "not an owner",
        {"apiVersion": "v1", "kind": "Pod", "name": "second", "uid": "o-2", "controller": true}]}})");
    CHECK(owned->meta.owners.size() == 2);
    REQUIRE(owned->meta.controller());
    CHECK(owned->meta.controller()->uid == "o-2");
    CHECK_FALSE(parsed(R"({"metadata": {"name": "x"}})")->meta.controller());
}

TEST_CASE("managedFields are dropped", "[kube][object]")
{
    const auto read =
        parsed(R"({"metadata": {"name": "x", "managedFields": [{"manager": "kubectl"}], "uid": "u"}})");
    CHECK_FALSE(read->raw.at("metadata").as_object().contains("managedFields"));
    CHECK(read->raw.at("metadata").at("uid") == "u");
}

TEST_CASE("a deletion in progress is seen, a null timestamp is none", "[kube][object]")
{
    const auto going = parsed(R"({"metadata": {"name": "x", "deletionTimestamp": "2026-11-24T20:17:00Z"}})");
    REQUIRE(going->meta.deleted.has_value());
    CHECK(to_rfc3339(*going->meta.deleted) == "2026-11-24T20:17:00Z");
    CHECK_FALSE(parsed(R"({"metadata": {"name": "x", "deletionTimestamp": null}})")->meta.deleted.has_value()
    );
}

TEST_CASE("an object without a name is refused, one without the rest is not", "[kube][object]")
{
    for (const char* text :
         {"{}", R"({"metadata": {}})", R"({"metadata": "x"})", R"({"metadata": {"name": 7}})"})
    {
        const auto read = parse_object(object_of(text));
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code() == errc::protocol);
    }
    const auto bare =
        parsed(R"({"metadata": {"name": "x", "generation": "1", "finalizers": "no"}, "spec": [1]})");
    CHECK(bare->meta.key().to_string() == "x");
    CHECK(bare->meta.generation == 0);
    CHECK(bare->meta.finalizers.empty());
    CHECK(bare->spec().empty());
    CHECK(bare->status().empty());
    CHECK(labels_of(*bare).empty());
}

TEST_CASE("a kind's apiVersion has its group, the core group has none", "[kube][object]")
{
    CHECK(resource{"apps", "v1", "deployments", "Deployment"}.api_version() == "apps/v1");
    CHECK(resource{"", "v1", "services", "Service"}.api_version() == "v1");
}

TEST_CASE("resource versions are compared as integers of any length", "[kube][object]")
{
    CHECK(is_older("9", "10"));
    CHECK_FALSE(is_older("10", "9"));
    CHECK_FALSE(is_older("10", "10"));
    CHECK(is_older("99999999999999999999999998", "99999999999999999999999999"));
    CHECK_FALSE(is_older("", "1"));
    CHECK_FALSE(is_older("1", ""));
}

TEST_CASE("an object that holds more than wanted contains it", "[kube][object]")
{
    CHECK(holds(R"({"a": 1, "b": {"c": "x", "d": true}})", R"({"b": {"c": "x"}})"));
    CHECK(holds(R"({"a": 1})", "{}"));
    CHECK(holds(R"({"a": [{"x": 1, "y": 2}]})", R"({"a": [{"x": 1}]})"));
    CHECK(holds(R"([])", "[]"));
    CHECK(holds("null", "null"));
}

TEST_CASE("what differs, is missing or is of another length is not contained", "[kube][object]")
{
    CHECK_FALSE(holds(R"({"a": 1})", R"({"a": 2})"));
    CHECK_FALSE(holds(R"({"a": 1})", R"({"a": "1"})"));
    CHECK_FALSE(holds(R"({"a": 1})", R"({"b": 1})"));
    CHECK_FALSE(holds(R"({"a": {"b": 1}})", R"({"a": {"b": 1, "c": 2}})"));
    CHECK_FALSE(holds(R"({"a": [1, 2]})", R"({"a": [1]})"));
    CHECK_FALSE(holds(R"({"a": [1, 2]})", R"({"a": [2, 1]})"));
    CHECK_FALSE(holds(R"({"a": "x"})", R"({"a": {"b": 1}})"));
    CHECK_FALSE(holds(R"({"a": {"b": 1}})", R"({"a": [1]})"));
    CHECK_FALSE(holds(R"({"a": 1})", R"({"a": null})"));
}

TEST_CASE("a condition keeps its transition time while its status stays", "[kube][object]")
{
    const auto now = from_rfc3339("2026-11-24T20:17:00Z");
    const std::vector<condition> live{
        make_condition("Same", "True", "2026-01-01T00:00:00Z"),
        make_condition("Moved", "False", "2026-01-01T00:00:00Z"),
        make_condition("NeverTimed", "True"),
    };
    std::vector<condition> wanted{
        make_condition("Same", "True"),
        make_condition("Moved", "True"),
        make_condition("NeverTimed", "True"),
        make_condition("New", "Unknown"),
    };
    wanted[0].message = "another message";
    keep_transition_times(wanted, live, now);
    CHECK(wanted[0].last_transition_time == "2026-01-01T00:00:00Z");
    CHECK(wanted[0].message == "another message");
    CHECK(wanted[1].last_transition_time == "2026-11-24T20:17:00Z");
    CHECK(wanted[2].last_transition_time == "2026-11-24T20:17:00Z");
    CHECK(wanted[3].last_transition_time == "2026-11-24T20:17:00Z");
}

TEST_CASE("conditions survive being written and read", "[kube][object]")
{
    condition one = make_condition("Ready", "True", "2026-01-01T00:00:00Z");
    one.reason = "AllGood";
    one.message = "all is well";
    one.observed_generation = 5;
    json::array list;
    list.emplace_back(to_json(one));
    list.emplace_back("no condition");
    list.emplace_back(object_of(R"({"status": "True"})"));
    const auto read = parse_conditions(json::object{{"conditions", list}});
    REQUIRE(read.size() == 1);
    CHECK(read[0].is_true());
    CHECK(read[0].reason == "AllGood");
    CHECK(read[0].message == "all is well");
    CHECK(read[0].observed_generation == 5);
    CHECK(read[0].last_transition_time == "2026-01-01T00:00:00Z");
    CHECK(find_condition(read, "Ready") == &read[0]);
    CHECK_FALSE(find_condition(read, "Other"));
    CHECK(parse_conditions(object_of("{}")).empty());
    CHECK(parse_conditions(object_of(R"({"conditions": {}})")).empty());
}

TEST_CASE("paths that do not exist have defaults", "[kube][object]")
{
    const json::object root =
        object_of(R"({"a": {"b": {"text": "x", "number": 7, "flag": true, "none": null}}})");
    CHECK(string_at(root, "a.b.text") == "x");
    CHECK(string_at(root, "a.b.number").empty());
    CHECK(string_at(root, "a.x.text").empty());
    CHECK(string_at(root, "a.b.text.deeper").empty());
    CHECK(int_at(root, "a.b.number") == 7);
    CHECK(int_at(root, "a.b.text", -1) == -1);
    CHECK(bool_at(root, "a.b.flag"));
    CHECK(bool_at(root, "a.b.none", true));
    CHECK(find_path(root, "a.b.none"));
    CHECK_FALSE(find_path(root, ""));
    CHECK_FALSE(find_path(root, "a..b"));
}
