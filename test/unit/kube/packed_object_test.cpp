#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/packed_object.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <string>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
namespace json = boost::json;

namespace {

// Of the same members in the same order.
std::string text_after(const std::string& text)
{
    member_names names;
    const auto packed = pack(json_object(text), names);
    REQUIRE(packed.has_value());
    return json::serialize(unpack(*packed, names)->raw);
}

}  // namespace

TEST_CASE("a packed object is the same after it is unpacked")
{
    const std::string text = GENERATE(
        R"({"metadata":{"name":"a"}})",
        R"({"metadata":{"name":"a","namespace":"b","uid":"c","resourceVersion":"17","generation":3}})",
        R"({"metadata":{"name":"a"},"spec":{"list":[1,-1,true,false,null,"",[],{},[{"x":[1]}]],"empty":{}}})",
        R"({"metadata":{"name":"a"},"spec":{"":"no name","twice":{"":""},"ä€😀":"ä€😀","zero":"a\u0000b"}})",
        R"({"metadata":{"name":"a"},"n":[9223372036854775807,-9223372036854775808,18446744073709551615,1.5E-7]})"
    );
    CHECK(text_after(text) == text);
}

TEST_CASE("long texts, long lists and many members are packed whole")
{
    const std::size_t size = GENERATE(127, 128, 16383, 16384, 70000);
    json::object raw = raw_object("a", "1");
    raw["text"] = std::string(size, 'x');
    json::array list(size, json::value(1));
    raw["list"] = std::move(list);
    json::object members;
    for (std::size_t i = 0; i < size; ++i)
        members[std::to_string(i)] = i;
    raw["members"] = std::move(members);
    const std::string text = json::serialize(raw);
    CHECK(text_after(text) == text);
}

TEST_CASE("names are numbered as long as there is room, and the others are written out")
{
    member_names names;
    for (std::size_t i = 0; i < member_names::most; ++i)
        CHECK(names.number_of("name" + std::to_string(i)) == i + 1);
    CHECK(names.number_of("one more") == 0);
    CHECK(names.number_of("name7") == 8);
    CHECK(names.name_of(8) == "name7");
    const auto packed = pack(raw_object("a", "1"), names);
    REQUIRE(packed.has_value());
    CHECK(unpack(*packed, names)->raw == raw_object("a", "1"));
}

TEST_CASE("names that are too long for fields are not kept")
{
    member_names names;
    const std::string made_up(1'000'000, 'x');
    json::object raw = raw_object("a", "1");
    raw["spec"] = json::object{{made_up, 1}};
    const auto packed = pack(json::object(raw), names);
    REQUIRE(packed.has_value());
    CHECK(unpack(*packed, names)->raw == raw);
    CHECK(names.number_of(made_up) == 0);
    CHECK(names.number_of(std::string(65, 'x')) == 0);
    CHECK(names.number_of(std::string(64, 'x')) != 0);
}

TEST_CASE("the identity is there without unpacking, and managedFields are not kept")
{
    member_names names;
    json::object raw = raw_object("a", "12");
    raw["metadata"].as_object()["managedFields"] = json::array{1, 2, 3};
    const auto packed = pack(std::move(raw), names);
    REQUIRE(packed.has_value());
    CHECK((*packed)->meta.key() == object_key{"default", "a"});
    CHECK((*packed)->meta.resource_version == "12");
    const object_ptr again = unpack(*packed, names);
    CHECK(again->raw == raw_object("a", "12"));
    CHECK(again->meta.uid == "uid-a");
}

TEST_CASE("what has no name cannot be packed, and nothing is unpacked from nothing")
{
    member_names names;
    CHECK_FALSE(pack(json_object(R"({"metadata":{}})"), names).has_value());
    CHECK(unpack(nullptr, names) == nullptr);
}
