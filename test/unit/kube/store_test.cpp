#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/store.hpp>

#include <string>

using namespace portitor::kube;
using namespace portitor::kube::samples;

namespace {

// "+a@1" for an addition, "-a@1" for a removal, "a@1>2" for a change; the numbers are versions.
std::string told(const std::vector<change>& changes)
{
    std::string out;
    for (const change& each : changes)
    {
        if (!out.empty())
            out += " ";
        if (!each.before)
            out += "+" + each.key.name + "@" + each.after->meta.resource_version;
        else if (!each.after)
            out += "-" + each.key.name + "@" + each.before->meta.resource_version;
        else
            out += each.key.name + "@" + each.before->meta.resource_version + ">" +
                   each.after->meta.resource_version;
    }
    return out;
}

}  // namespace

TEST_CASE("an object is new, then changed, then the same, then gone", "[kube][store]")
{
    store objects;
    CHECK(told(objects.upsert(make_object("a", "1"))) == "+a@1");
    CHECK(told(objects.upsert(make_object("a", "2"))) == "a@1>2");
    CHECK(told(objects.upsert(make_object("a", "2"))).empty());
    REQUIRE(objects.find({"default", "a"}));
    CHECK(objects.find({"default", "a"})->meta.resource_version == "2");
    CHECK(told(objects.remove({"default", "a"})) == "-a@2");
    CHECK(told(objects.remove({"default", "a"})).empty());
    CHECK_FALSE(objects.find({"default", "a"}));
    CHECK(objects.size() == 0);
}

TEST_CASE("an object with another UID is a removal and an addition", "[kube][store]")
{
    store objects;
    objects.upsert(make_object("a", "1", "old"));
    const auto changes = objects.upsert(make_object("a", "5", "new"));
    CHECK(told(changes) == "-a@1 +a@5");
    CHECK(changes[0].before->meta.uid == "old");
    CHECK(changes[1].after->meta.uid == "new");
    CHECK(objects.find({"default", "a"})->meta.uid == "new");
    // Even where the version is the same.
    CHECK(told(objects.upsert(make_object("a", "5", "newest"))) == "-a@5 +a@5");
}

TEST_CASE("a snapshot tells only what differs", "[kube][store]")
{
    store objects;
    CHECK(told(objects.replace({make_object("a", "1"), make_object("b", "2")})) == "+a@1 +b@2");
    CHECK(told(objects.replace({make_object("a", "1"), make_object("b", "2")})).empty());
    CHECK(told(objects.replace({make_object("b", "3"), make_object("c", "4")})) == "-a@1 b@2>3 +c@4");
    CHECK(told(objects.replace({make_object("b", "3", "another"), make_object("c", "4")})) == "-b@3 +b@3");
    CHECK(told(objects.replace({})) == "-b@3 -c@4");
    CHECK(objects.size() == 0);
}

TEST_CASE("namespaces keep equal names apart", "[kube][store]")
{
    store objects;
    objects.upsert(make_object("a", "1", "u-1", "one"));
    CHECK(told(objects.upsert(make_object("a", "2", "u-2", "two"))) == "+a@2");
    CHECK(objects.size() == 2);
    CHECK(objects.find({"one", "a"})->meta.uid == "u-1");
    CHECK_FALSE(objects.find({"", "a"}));
}

TEST_CASE("an object outlives its removal for those who hold it", "[kube][store]")
{
    store objects;
    objects.upsert(make_object("a", "1"));
    const object_ptr held = objects.find({"default", "a"});
    objects.remove({"default", "a"});
    CHECK(held->meta.name == "a");
}
