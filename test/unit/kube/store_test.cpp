#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/store.hpp>

#include <algorithm>
#include <random>
#include <string>

using namespace portitor::kube;
using namespace portitor::kube::samples;

namespace {

using changes = std::vector<change<object>>;

// "+a@1" for an addition, "-a@1" for a removal, "a@1>2" for a change; the numbers are versions.
std::string told(const changes& all)
{
    std::string out;
    for (const change<object>& each : all)
    {
        if (!out.empty())
            out += " ";
        if (!each.before)
            out += "+" + each.key().name + "@" + each.after->meta.resource_version;
        else if (!each.after)
            out += "-" + each.key().name + "@" + each.before->meta.resource_version;
        else
            out += each.key().name + "@" + each.before->meta.resource_version + ">" +
                   each.after->meta.resource_version;
    }
    return out;
}

// What a program keeps of an object: where it is, and what it decides on.
struct offer
{
    object_identity meta;
    std::vector<std::string> paths;
};

std::shared_ptr<const offer>
make_offer(std::string name, std::string version, std::vector<std::string> paths, std::string uid = "u")
{
    auto out = std::make_shared<offer>();
    out->meta.ns = "shop";
    out->meta.name = std::move(name);
    out->meta.uid = std::move(uid);
    out->meta.resource_version = std::move(version);
    out->paths = std::move(paths);
    return out;
}

struct indexed
{
    store<offer> offers;
    const store<offer>::index& by_path = offers.add_index([](const offer& of) { return of.paths; });
    const store<offer>::index& by_uid =
        offers.add_index([](const offer& of) { return std::vector<std::string>(1, of.meta.uid); });

    std::string at(const std::string& path) const { return names(by_path.find(path)); }
    static std::string names(const std::set<object_key>& keys)
    {
        std::string out;
        for (const object_key& each : keys)
            out += each.name;
        return out;
    }
};

}  // namespace

TEST_CASE("an object is new, then changed, then the same, then gone", "[kube][store]")
{
    store<object> objects;
    CHECK(told(objects.upsert(make_object("a", "1"))) == "+a@1");
    CHECK(told(objects.upsert(make_object("a", "2"))) == "a@1>2");
    const object_ptr held = objects.find({"default", "a"});
    CHECK(told(objects.upsert(make_object("a", "2"))).empty());
    CHECK(objects.find({"default", "a"}) == held);
    REQUIRE(held);
    CHECK(held->meta.resource_version == "2");
    CHECK(told(objects.remove({"default", "a"})) == "-a@2");
    CHECK(told(objects.remove({"default", "a"})).empty());
    CHECK_FALSE(objects.find({"default", "a"}));
    CHECK(objects.size() == 0);
}

TEST_CASE("an object with another UID is a removal and an addition", "[kube][store]")
{
    store<object> objects;
    objects.upsert(make_object("a", "1", "old"));
    const auto told_once = objects.upsert(make_object("a", "5", "new"));
    CHECK(told(told_once) == "-a@1 +a@5");
    CHECK(told_once[0].before->meta.uid == "old");
    CHECK(told_once[1].after->meta.uid == "new");
    CHECK(objects.find({"default", "a"})->meta.uid == "new");
    // Even where the version is the same.
    CHECK(told(objects.upsert(make_object("a", "5", "newest"))) == "-a@5 +a@5");
}

TEST_CASE("a snapshot tells only what differs", "[kube][store]")
{
    store<object> objects;
    CHECK(told(objects.replace({make_object("a", "1"), make_object("b", "2")})) == "+a@1 +b@2");
    CHECK(told(objects.replace({make_object("a", "1"), make_object("b", "2")})).empty());
    CHECK(told(objects.replace({make_object("b", "3"), make_object("c", "4")})) == "-a@1 b@2>3 +c@4");
    CHECK(told(objects.replace({make_object("b", "3", "another"), make_object("c", "4")})) == "-b@3 +b@3");
    CHECK(objects.all().size() == 2);
    CHECK(told(objects.replace({})) == "-b@3 -c@4");
    CHECK(objects.size() == 0);
}

TEST_CASE("namespaces keep equal names apart", "[kube][store]")
{
    store<object> objects;
    objects.upsert(make_object("a", "1", "u-1", "one"));
    CHECK(told(objects.upsert(make_object("a", "2", "u-2", "two"))) == "+a@2");
    CHECK(objects.size() == 2);
    CHECK(objects.find({"one", "a"})->meta.uid == "u-1");
    CHECK_FALSE(objects.find({"", "a"}));
}

TEST_CASE("an object outlives its removal for those who hold it", "[kube][store]")
{
    store<object> objects;
    objects.upsert(make_object("a", "1"));
    const object_ptr held = objects.find({"default", "a"});
    objects.remove({"default", "a"});
    CHECK(held->meta.name == "a");
}

TEST_CASE("an index follows additions, changes and removals", "[kube][store]")
{
    indexed f;
    f.offers.upsert(make_offer("b", "1", {"/x", "/y"}));
    f.offers.upsert(make_offer("a", "1", {"/x"}));
    CHECK(f.at("/x") == "ab");
    CHECK(f.at("/y") == "b");
    CHECK(f.at("/z").empty());
    f.offers.upsert(make_offer("b", "2", {"/y", "/z", "/z"}));
    CHECK(f.at("/x") == "a");
    CHECK(f.at("/y") == "b");
    CHECK(f.at("/z") == "b");
    // What is the same by its version changes nothing.
    f.offers.upsert(make_offer("b", "2", {"/never"}));
    CHECK(f.at("/never").empty());
    CHECK(f.at("/y") == "b");
    f.offers.upsert(make_offer("b", "3", {}));
    CHECK(f.at("/y").empty());
    CHECK(f.at("/z").empty());
    f.offers.remove({"shop", "a"});
    CHECK(f.at("/x").empty());
    CHECK(f.offers.size() == 1);
}

TEST_CASE("an index follows another UID and a whole snapshot", "[kube][store]")
{
    indexed f;
    f.offers.upsert(make_offer("a", "1", {"/x"}, "old"));
    f.offers.upsert(make_offer("a", "1", {"/y"}, "new"));
    CHECK(f.at("/x").empty());
    CHECK(f.at("/y") == "a");
    CHECK(indexed::names(f.by_uid.find("old")).empty());
    CHECK(indexed::names(f.by_uid.find("new")) == "a");

    std::vector<store<offer>::pointer> snapshot;
    snapshot.push_back(make_offer("b", "5", {"/y"}));
    snapshot.push_back(make_offer("c", "6", {"/y", "/c"}));
    f.offers.replace(snapshot);
    CHECK(f.at("/y") == "bc");
    CHECK(indexed::names(f.by_uid.find("new")).empty());
    snapshot[1] = make_offer("c", "7", {"/c"}, "another");
    f.offers.replace(snapshot);
    CHECK(f.at("/y") == "b");
    CHECK(f.at("/c") == "c");
    CHECK(indexed::names(f.by_uid.find("another")) == "c");
    f.offers.replace({});
    CHECK(f.at("/y").empty());
    CHECK(f.at("/c").empty());
    CHECK(indexed::names(f.by_uid.find("another")).empty());
}

TEST_CASE("whatever happens, an index says what a search through the store would", "[kube][store]")
{
    indexed f;
    std::mt19937 random(3);
    const auto draw = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    int version = 0;
    const auto any_offer = [&] {
        std::vector<std::string> paths;
        for (int i = draw(4); i > 0; --i)
            paths.push_back("/" + std::to_string(draw(5)));
        return make_offer(
            "o" + std::to_string(draw(6)), std::to_string(++version), paths, "u" + std::to_string(draw(3))
        );
    };
    for (int round = 0; round < 3000; ++round)
    {
        const int what = draw(10);
        if (what < 6)
            f.offers.upsert(any_offer());
        else if (what < 9)
            f.offers.remove({"shop", "o" + std::to_string(draw(6))});
        else
        {
            std::vector<store<offer>::pointer> snapshot;
            for (int i = draw(6); i > 0; --i)
                snapshot.push_back(any_offer());
            f.offers.replace(std::move(snapshot));
        }
        for (int path = 0; path < 5; ++path)
        {
            std::set<object_key> expected;
            for (const auto& [key, held] : f.offers.all())
            {
                if (std::count(held->paths.begin(), held->paths.end(), "/" + std::to_string(path)) > 0)
                    expected.insert(key);
            }
            REQUIRE(f.by_path.find("/" + std::to_string(path)) == expected);
        }
    }
}
