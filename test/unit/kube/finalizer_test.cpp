#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/finalizer.hpp>

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
namespace json = boost::json;

namespace {

object_meta seen_with(std::vector<std::string> finalizers)
{
    object_meta out;
    out.ns = "shop";
    out.name = "w";
    out.uid = "u-1";
    out.resource_version = "7";
    out.finalizers = std::move(finalizers);
    return out;
}

}  // namespace

TEST_CASE("the first finalizer makes the list, another one joins it", "[kube][finalizer]")
{
    CHECK(add_finalizer_patch(seen_with({}), "a/b") == json::parse(R"([
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "add", "path": "/metadata/finalizers", "value": ["a/b"]}])"));
    CHECK(add_finalizer_patch(seen_with({"c/d"}), "a/b") == json::parse(R"([
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "a/b"}])"));
}

TEST_CASE("nothing is added twice, nor to what is being deleted", "[kube][finalizer]")
{
    CHECK_FALSE(add_finalizer_patch(seen_with({"c/d", "a/b"}), "a/b"));
    object_meta going = seen_with({});
    going.deleted = clock::time_point();
    CHECK_FALSE(add_finalizer_patch(going, "a/b"));
    going.finalizers.emplace_back("c/d");
    CHECK_FALSE(add_finalizer_patch(going, "a/b"));
}

TEST_CASE("a finalizer goes from its place, which is tested, and the others stay", "[kube][finalizer]")
{
    object_meta going = seen_with({"c/d", "a/b", "e/f"});
    going.deleted = clock::time_point();
    CHECK(remove_finalizer_patch(going, "a/b") == json::parse(R"([
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "test", "path": "/metadata/finalizers/1", "value": "a/b"},
        {"op": "remove", "path": "/metadata/finalizers/1"}])"));
    CHECK_FALSE(remove_finalizer_patch(going, "x/y"));
    CHECK_FALSE(remove_finalizer_patch(seen_with({}), "a/b"));
    // Not only while it is being deleted.
    CHECK(remove_finalizer_patch(seen_with({"a/b"}), "a/b").has_value());
}
