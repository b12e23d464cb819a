#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/object_reader.hpp>

#include <boost/json/array.hpp>
#include <boost/json/memory_resource.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
namespace json = boost::json;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

// Everything that could go wrong at a border: escapes, surrogates, numbers, keys that look like those that
// are left out, keys that come twice.
const std::string widget = R"({
  "metadata": {
    "name": "a\u00e9\ud83d\ude00\\\"\/\b\f\n\r\t", "näme": "☃𝄞",
    "managedFields": [{"manager": "kubectl", "fieldsV1": {"metadata": {"annotations": {"x": [1, -2.5, null]}}}}, "\ud83d\ude00", 7],
    "annotations": {
      "kubectl.kubernetes.io/last-applied-configuration": "{\"metadata\":{\"name\":\"\\u00e9\"}}\n",
      "managedFields": "kept", "a": "b"
    },
    "labels": {"annotations": "kept", "kubectl.kubernetes.io/last-applied-configuration": "kept"},
    "resourceVersion": "7"
  },
  "managedFields": ["kept"],
  "spec": {
    "template": {"metadata": {"managedFields": [1], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "kept"}}},
    "list": [{"metadata": {"managedFields": 1}}, [], [[]], {}, [{"annotations": {}}]],
    "numbers": [0, -0, -1, 9223372036854775807, -9223372036854775808, 18446744073709551615, 1.5, -0.25, 1e3, 2.5E-2, 123456.75],
    "flags": [true, false, null, ""],
    "twice": 1, "twice": {"a": 1}, "twice": "last"
  }
})";

const std::string tricky_list =
    R"({"kind":"WidgetList","apiVersion":"v1","metadata":{"resourceVersion":"10","continue":"a+b/c=","remainingItemCount":12},"items":[)" +
    widget + R"(,{"metadata":{"name":"b"}},{},{"metadata":null},)" + widget + "]}\n";

// What json::parse makes of it, without what the reader leaves out.
json::value trimmed(json::value value)
{
    json::value* meta = value.as_object().if_contains("metadata");
    if (!meta || !meta->is_object())
        return value;
    meta->as_object().erase("managedFields");
    if (json::value* annotations = meta->as_object().if_contains("annotations"))
        annotations->as_object().erase("kubectl.kubernetes.io/last-applied-configuration");
    return value;
}

using pieces = std::vector<std::string_view>;

pieces in_two(std::string_view text, std::size_t at)
{
    return {text.substr(0, at), text.substr(at)};
}

pieces in_steps(std::string_view text, std::size_t step)
{
    pieces out;
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
        out.push_back(text.substr(0, step));
    return out;
}

pieces at_random(std::string_view text, std::mt19937& random, std::size_t longest)
{
    std::uniform_int_distribution<std::size_t> draw(0, longest);
    pieces out;
    while (!text.empty())
    {
        const std::size_t size = std::min(draw(random), text.size());
        out.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return out;
}

struct list_outcome
{
    std::vector<json::value> items;
    std::vector<std::string> cuts;  ///< of the items that are not whole
    result<void> fed;
    result<list_page> page = fail(errc::canceled, "not asked for");
};

list_outcome read_list(const pieces& text)
{
    list_outcome out;
    list_reader reader([&](json::object&& item, std::string_view cut) {
        if (!cut.empty())
            out.cuts.emplace_back(cut);
        // A copy in memory of its own: the item's is gone after the call.
        out.items.emplace_back(json::object(item, json::storage_ptr()));
        return result<void>();
    });
    for (const std::string_view each : text)
    {
        out.fed = reader.feed(each);
        if (!out.fed)
            return out;
    }
    out.page = reader.finish();
    return out;
}

// The code of what went wrong; "ok" where nothing did.
std::string end_of(const list_outcome& of)
{
    if (!of.fed)
        return to_string(of.fed.error().code());
    return of.page ? "ok" : to_string(of.page.error().code());
}

struct event
{
    std::string type;
    json::value object;

    bool operator==(const event&) const = default;
};

struct event_outcome
{
    std::vector<event> events;
    result<void> fed;
};

event_outcome read_events(const pieces& text)
{
    event_outcome out;
    event_reader reader([&](std::string_view type, json::object&& object, std::string_view) {
        event each;
        each.type = type;
        each.object = json::object(object, json::storage_ptr());
        out.events.push_back(std::move(each));
        return result<void>();
    });
    for (const std::string_view each : text)
    {
        out.fed = reader.feed(each);
        if (!out.fed)
            return out;
    }
    return out;
}

// "ADDED a@1" of each; then the code of the error, where there is one.
std::string told(const event_outcome& of)
{
    std::string out;
    for (const event& each : of.events)
    {
        const json::object& object = each.object.get_object();
        out += each.type + " " + string_at(object, "metadata.name") + "@" +
               string_at(object, "metadata.resourceVersion") + "; ";
    }
    return of.fed ? out : out + to_string(of.fed.error().code());
}

std::vector<json::value> expected_items(const std::string& text)
{
    std::vector<json::value> out;
    const json::value parsed = json::parse(text);
    for (const json::value& each : parsed.at("items").as_array())
        out.push_back(trimmed(each));
    return out;
}

std::string list_of(const std::string& items, const std::string& version = "10")
{
    return R"({"metadata":{"resourceVersion":")" + version + R"("},"items":[)" + items + "]}";
}

std::string event_of(const std::string& object, const std::string& type = "ADDED")
{
    return R"({"type":")" + type + R"(","object":)" + object + "}";
}

// An object with a string of so many bytes.
std::string object_with(std::size_t size)
{
    return R"({"metadata":{"name":"a","resourceVersion":"1"},"data":")" + std::string(size, 'x') + "\"}";
}

std::string nested(std::size_t levels)
{
    return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_CASE("a list is what a parser would make of it, without what nobody reads", "[kube][object_reader]")
{
    const auto read = read_list({tricky_list});
    REQUIRE(end_of(read) == "ok");
    CHECK(read.page->resource_version == "10");
    CHECK(read.page->continue_token == "a+b/c=");
    const auto expected = expected_items(tricky_list);
    REQUIRE(read.items.size() == 5);
    CHECK(read.items == expected);
    const json::object& first = read.items[0].as_object();
    CHECK_FALSE(find_path(first, "metadata.managedFields"));
    CHECK(first.at("metadata").at("annotations").as_object().size() == 2);
    CHECK(string_at(first, "metadata.annotations.managedFields") == "kept");
    CHECK(first.contains("managedFields"));
    CHECK(find_path(first, "spec.template.metadata.managedFields"));
    CHECK(find_path(first, "spec.template.metadata.annotations")->as_object().size() == 1);
    CHECK(find_path(first, "metadata.labels")->as_object().size() == 2);
    CHECK(string_at(first, "spec.twice") == "last");
}

TEST_CASE("a list may be cut anywhere", "[kube][object_reader]")
{
    const auto expected = expected_items(tricky_list);
    const auto check = [&](const pieces& text) {
        const auto read = read_list(text);
        return end_of(read) == "ok" && read.page->resource_version == "10" &&
               read.page->continue_token == "a+b/c=" && read.items == expected;
    };
    SECTION("into two")
    {
        for (std::size_t at = 0; at <= tricky_list.size(); ++at)
        {
            CAPTURE(at);
            REQUIRE(check(in_two(tricky_list, at)));
        }
    }
    SECTION("byte by byte")
    {
        CHECK(check(in_steps(tricky_list, 1)));
    }
    SECTION("into equal pieces")
    {
        for (std::size_t step = 2; step < 70; ++step)
        {
            CAPTURE(step);
            REQUIRE(check(in_steps(tricky_list, step)));
        }
    }
    SECTION("at random, with empty pieces")
    {
        std::mt19937 random(17);
        for (int i = 0; i < 200; ++i)
        {
            CAPTURE(i);
            REQUIRE(check(at_random(tricky_list, random, i % 3 == 0 ? 3 : 200)));
        }
    }
}

TEST_CASE("events may be cut anywhere", "[kube][object_reader]")
{
    const std::string text = event_of(widget) + "\n" + event_of(R"({"metadata":{"name":"b"}})", "BOOKMARK") +
                             R"({ "object" : )" + widget + R"(, "type" : "MODI\u0046IED" })" + "\r\n\r\n \t" +
                             event_of(R"({"code":410})", "ERROR") + "\n";
    std::vector<event> expected;
    expected.push_back({"ADDED", trimmed(json::parse(widget))});
    expected.push_back({"BOOKMARK", json::parse(R"({"metadata":{"name":"b"}})")});
    expected.push_back({"MODIFIED", trimmed(json::parse(widget))});
    expected.push_back({"ERROR", json::parse(R"({"code":410})")});
    const auto check = [&](const pieces& cut) {
        const auto read = read_events(cut);
        return read.fed.has_value() && read.events == expected;
    };
    SECTION("into two")
    {
        for (std::size_t at = 0; at <= text.size(); ++at)
        {
            CAPTURE(at);
            REQUIRE(check(in_two(text, at)));
        }
    }
    SECTION("byte by byte")
    {
        CHECK(check(in_steps(text, 1)));
    }
    SECTION("at random")
    {
        std::mt19937 random(18);
        for (int i = 0; i < 200; ++i)
        {
            CAPTURE(i);
            REQUIRE(check(at_random(text, random, i % 3 == 0 ? 3 : 300)));
        }
    }
}

TEST_CASE("what is complete is handed over before more comes", "[kube][object_reader]")
{
    std::vector<std::string> seen;
    list_reader list([&](json::object&& item, std::string_view) {
        seen.push_back(string_at(item, "metadata.name"));
        return result<void>();
    });
    REQUIRE(list.feed(R"({"items":[{"metadata":{"name":"a"})").has_value());
    CHECK(seen.empty());
    REQUIRE(list.feed("}").has_value());
    CHECK(seen == std::vector<std::string>{"a"});
    REQUIRE(list.feed(R"(,{"metadata":{"name":"b"}},{"meta)").has_value());
    CHECK(seen == std::vector<std::string>{"a", "b"});

    seen.clear();
    event_reader events([&](std::string_view type, json::object&&, std::string_view) {
        seen.emplace_back(type);
        return result<void>();
    });
    REQUIRE(events.feed(R"({"type":"ADDED","object":{})").has_value());
    CHECK(seen == std::vector<std::string>{"ADDED"});
    REQUIRE(events.feed("}\n" + event_of("{}", "MODIFIED")).has_value());
    CHECK(seen == std::vector<std::string>{"ADDED", "MODIFIED"});
}

TEST_CASE("a list may have no items, and its metadata may come last", "[kube][object_reader]")
{
    for (const char* text :
         {R"({"metadata":{"resourceVersion":"10"},"items":[]})",
          R"({"metadata":{"resourceVersion":"10"},"items":null})",
          R"({"metadata":{"resourceVersion":"10"}})",
          R"({"items":[],"metadata":{"resourceVersion":"10","continue":""}})",
          R"({"items":[{}],"metadata":{"resourceVersion":"10"},"kind":"WidgetList"})",
          "\n {\"metadata\" : {\"resourceVersion\":\"10\"} , \"items\" : [ ] } \r\n\n"})
    {
        CAPTURE(text);
        for (const std::size_t step : {1UL, 1000UL})
        {
            const auto read = read_list(in_steps(text, step));
            REQUIRE(end_of(read) == "ok");
            CHECK(read.page->resource_version == "10");
            CHECK(read.page->continue_token.empty());
            CHECK(read.items.size() == (std::string(text).find("{}") != std::string::npos ? 1U : 0U));
        }
    }
}

TEST_CASE("what is no list is a protocol error", "[kube][object_reader]")
{
    for (const char* text :
         {"",
          " ",
          "{",
          "{}",
          "[]",
          "[{}]",
          "null",
          "7",
          "\"text\"",
          "garbage",
          "<html></html>",
          "{]",
          "{\"items\":[{},]}",
          R"({"metadata":{"resourceVersion":"1"},"items":[[{}]]})",
          R"({"metadata":{"resourceVersion":"1"},"items":[{"a":"\ud83d"}]})",
          "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"a\":\"\xff\"}]}",
          R"({"metadata":{"resourceVersion":"1"},"items":[{"a":01}]})",
          R"({"metadata":{"resourceVersion":"1"},"items":[{"a":NaN}]})",
          R"({"metadata":null,"items":[]})",
          R"({"metadata":"x","items":[]})",
          R"({"metadata":{},"items":[]})",
          R"({"metadata":{"resourceVersion":""},"items":[]})",
          R"({"metadata":{"resourceVersion":10},"items":[]})",
          R"({"metadata":{"resourceVersion":"10"},"items":[]}x)",
          R"({"metadata":{"resourceVersion":"10"},"items":[]}})",
          R"({"metadata":{"resourceVersion":"10"},"items":[]}{})",
          R"({"metadata":{"resourceVersion":"10"},"items":[]}
             {"metadata":{"resourceVersion":"10"},"items":[]})"})
    {
        CAPTURE(text);
        CHECK(end_of(read_list({text})) == "protocol");
        CHECK(end_of(read_list(in_steps(text, 1))) == "protocol");
    }
}

TEST_CASE("a list that was cut short is none, and its items are the first ones", "[kube][object_reader]")
{
    const auto expected = expected_items(tricky_list);
    const std::size_t end = tricky_list.rfind('}');
    for (std::size_t size = 0; size <= end; ++size)
    {
        CAPTURE(size);
        const auto read = read_list({std::string_view(tricky_list).substr(0, size)});
        REQUIRE(end_of(read) == "protocol");
        REQUIRE(read.items.size() <= expected.size());
        REQUIRE(std::equal(read.items.begin(), read.items.end(), expected.begin()));
    }
}

TEST_CASE("what is no event is a protocol error", "[kube][object_reader]")
{
    for (const char* text :
         {"{}",
          "null\n",
          "7\n",
          "[]",
          "garbage",
          "<html>",
          R"({"type":"ADDED"})",
          R"({"object":{}})",
          R"({"type":"","object":{}})",
          R"({"type":7,"object":{}})",
          R"({"type":null,"object":{}})",
          R"({"type":["ADDED"],"object":{}})",
          R"({"type":"ADDED","object":null})",
          R"({"type":"ADDED","object":7})",
          R"({"type":"ADDED","object":"text"})",
          R"({"type":"ADDED","object":[]})",
          R"({"kind":"Status","reason":"Expired","code":410})"})
    {
        CAPTURE(text);
        // After a good one, whose type must not serve for the next.
        const std::string before = event_of(R"({"metadata":{"name":"a","resourceVersion":"1"}})") + "\n";
        CHECK(told(read_events({before + text})) == "ADDED a@1; protocol");
        CHECK(told(read_events(in_steps(before + text, 1))) == "ADDED a@1; protocol");
    }
}

TEST_CASE("a watch that ends between events or within one is no error of the reader", "[kube][object_reader]")
{
    CHECK(told(read_events({"", "\n", "\n\n"})).empty());
    const std::string text = event_line("ADDED", "a", "1") + event_line("DELETED", "b", "2");
    CHECK(told(read_events({text})) == "ADDED a@1; DELETED b@2; ");
    CHECK(told(read_events({std::string_view(text).substr(0, text.size() - 4)})) == "ADDED a@1; ");
}

TEST_CASE("the type may come last, may be unknown, and may have company", "[kube][object_reader]")
{
    const std::string object = R"({"metadata":{"name":"a","resourceVersion":"1"}})";
    for (const std::string& text :
         {R"({"object":)" + object + R"(,"type":"ADDED"})",
          R"({"object":)" + object + R"(,"extra":{"metadata":{"name":"x"}},"type":"ADDED"})",
          R"({"extra":[{"type":"x"}],"type":"ADDED","more":{"type":"y"},"object":)" + object +
              R"(,"z":null})"})
    {
        CAPTURE(text);
        CHECK(told(read_events({text, text})) == "ADDED a@1; ADDED a@1; ");
        CHECK(told(read_events(in_steps(text + text, 1))) == "ADDED a@1; ADDED a@1; ");
    }
    CHECK(told(read_events({event_of(object, "TRANSMOGRIFIED")})) == "TRANSMOGRIFIED a@1; ");
}

TEST_CASE("what a handler says ends the reading", "[kube][object_reader]")
{
    int calls = 0;
    list_reader list([&](json::object&&, std::string_view) -> result<void> {
        if (++calls == 2)
            return fail(errc::invalid, "not this one");
        return {};
    });
    const auto fed = list.feed(list_of("{},{},{}"));
    REQUIRE_FALSE(fed.has_value());
    CHECK(fed.error().code() == errc::invalid);
    CHECK(fed.error().message() == "not this one");
    CHECK(calls == 2);

    calls = 0;
    event_reader events([&](std::string_view, json::object&&, std::string_view) -> result<void> {
        if (++calls == 2)
            return fail(errc::canceled, "enough");
        return {};
    });
    const auto read = events.feed(event_of("{}") + event_of("{}") + event_of("{}"));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == errc::canceled);
    CHECK(calls == 2);
    // The same where the object had to wait for its type.
    event_reader late([&](std::string_view, json::object&&, std::string_view) -> result<void> {
        return fail(errc::conflict, "no");
    });
    const auto refused = late.feed(R"({"object":{},"type":"ADDED"})");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == errc::conflict);
}

TEST_CASE("a handler may keep what it moves from, as its own", "[kube][object_reader]")
{
    std::vector<object_ptr> kept;
    list_reader list([&](json::object&& item, std::string_view) -> result<void> {
        auto made = parse_object(std::move(item));
        if (!made)
            return made.error();
        kept.push_back(*made);
        return {};
    });
    const std::string text = list_of(widget + "," + widget);
    for (const std::string_view each : in_steps(text, 7))
        REQUIRE(list.feed(each).has_value());
    REQUIRE(list.finish().has_value());
    REQUIRE(kept.size() == 2);
    CHECK(json::value(kept[0]->raw) == trimmed(json::parse(widget)));
    CHECK(json::value(kept[1]->raw) == trimmed(json::parse(widget)));
}

TEST_CASE("of an object that is too large its identity and a bounded part is read", "[kube][object_reader]")
{
    const auto check = [](const std::string& item) {
        for (const std::size_t step : {std::size_t(100000), item.size() + 1000})
        {
            CAPTURE(step, item.size());
            const auto read = read_list(in_steps(list_of(widget + "," + item + "," + widget), step));
            REQUIRE(end_of(read) == "ok");
            REQUIRE(read.items.size() == 3);
            CHECK(read.items[0] == trimmed(json::parse(widget)));
            CHECK(read.items[2] == read.items[0]);
            REQUIRE(read.cuts.size() == 1);
            CHECK(read.cuts[0].ends_with("has more than 8388608 bytes"));
            const json::object& cut = read.items[1].as_object();
            CHECK(string_at(cut, "metadata.name") == "big");
            CHECK(string_at(cut, "metadata.resourceVersion") == "7");
            CHECK(json::serialize(cut).size() < 9 * mebibyte);
            const std::string event = event_of(item);
            const auto seen = read_events(in_steps(event, step));
            CHECK(told(seen) == "ADDED big@7; ");
            CHECK(json::serialize(seen.events.at(0).object).size() < 9 * mebibyte);
        }
    };
    const std::string identity = R"("metadata":{"name":"big","resourceVersion":"7"})";
    SECTION("one that is just not too large is whole")
    {
        const std::string text(7 * mebibyte + mebibyte / 2, 'x');
        const auto read = read_list({list_of("{" + identity + R"(,"spec":{"a":")" + text + "\"}}")});
        REQUIRE(end_of(read) == "ok");
        CHECK(read.cuts.empty());
        CHECK((string_at(read.items.at(0).as_object(), "spec.a") == text));
    }
    SECTION("a text")
    {
        check("{" + identity + R"(,"spec":{"a":")" + std::string(9 * mebibyte, 'x') + R"(","b":1}})");
    }
    SECTION("texts that are too large together, before the metadata")
    {
        const std::string half = "\"" + std::string(5 * mebibyte, 'x') + "\"";
        check(
            R"({"data":{"a":)" + half + R"(,"b":)" + half + R"(,"c":{"d":[1]}},"more":[{}],)" + identity + "}"
        );
    }
    SECTION("many small values")
    {
        std::string zeros = "0";
        for (int i = 0; i < 600000; ++i)
            zeros += i % 3 == 0 ? ",0" : i % 3 == 1 ? ",\"\"" : ",[]";
        check(R"({"a":[)" + zeros + "]," + identity + R"(,"b":{"c":1}})");
    }
    SECTION("many members, and many texts")
    {
        std::string members = "\"x\":{}";
        for (int i = 0; i < 300000; ++i)
            members += ",\"" + std::to_string(i) + "\":\"some text\"";
        check(R"({"a":{)" + members + "}," + identity + "}");
    }
}

TEST_CASE("a name that is longer than any object can be is none", "[kube][object_reader]")
{
    const std::string text = list_of("{\"" + std::string(8 * mebibyte + 1, 'k') + "\":1}");
    CHECK(end_of(read_list({text})) == "protocol");
    CHECK(end_of(read_list(in_steps(text, 100000))) == "protocol");
    event_reader events([](std::string_view, json::object&&, std::string_view) { return result<void>(); });
    const std::string piece(100000, 'x');
    REQUIRE(events.feed("{\"type\":\"").has_value());
    std::size_t taken = 0;
    for (; taken < 20 * mebibyte && events.feed(piece); taken += piece.size())
    {}
    CHECK(taken >= 7 * mebibyte);
    CHECK(taken <= 9 * mebibyte);
}

TEST_CASE("what is left out and what was handed over counts for no object", "[kube][object_reader]")
{
    const std::string fields = std::string(60000, ' ') + R"({"f:spec":{"f:a":{},"f:b":[1,2,3]}},)";
    std::string managed;
    for (int i = 0; i < 200; ++i)
        managed += fields;
    const std::string item = R"({"metadata":{"name":"a","managedFields":[)" + managed + R"({"x":")" +
                             std::string(5 * mebibyte, 'x') + R"("}]},"data":")" +
                             std::string(4 * mebibyte, 'y') + "\"}";
    const auto read = read_list(in_steps(list_of(item + "," + item + "," + item), 16 * 1024));
    CHECK(end_of(read) == "ok");
    CHECK(read.cuts.empty());
    CHECK(read.items.size() == 3);
}

TEST_CASE("of an object that is too deep the deep part is null", "[kube][object_reader]")
{
    for (const std::size_t levels :
         {100UL, 124UL, 125UL, 126UL, 130UL, 998UL, 1000UL, 1001UL, 10000UL, 200000UL})
    {
        std::string objects;
        for (std::size_t i = 0; i < levels; ++i)
            objects += R"({"a\"[{":)";
        objects += "\"\\\"]}[{\"" + std::string(levels, '}');
        for (const std::string& deep : {nested(levels), objects})
        {
            const std::string item = R"({"metadata":{"name":"a"},"spec":{"b":1,"plugin":)" + deep +
                                     R"(,"c":[2]},"status":{"d":3}})";
            for (const std::size_t step : {1UL, 7UL, 1000000UL})
            {
                if (step == 1 && levels > 10000)
                    continue;
                CAPTURE(levels, step, deep.substr(0, 10));
                const auto read = read_list(in_steps(list_of(widget + "," + item + "," + widget), step));
                REQUIRE(end_of(read) == "ok");
                REQUIRE(read.items.size() == 3);
                CHECK(read.items[2] == read.items[0]);
                const json::object& some = read.items[1].as_object();
                CHECK(find_path(some, "spec.b")->as_int64() == 1);
                CHECK(find_path(some, "spec.plugin"));
                CHECK(find_path(some, "spec.c")->as_array().size() == 1);
                CHECK(int_at(some, "status.d") == 3);
                // The list, its items, the object and its spec are levels too.
                CHECK(
                    read.cuts == (levels <= 124
                                      ? std::vector<std::string>()
                                      : std::vector<std::string>{"spec.plugin has more than 128 levels"})
                );
            }
        }
    }
}

TEST_CASE("what is left out may be as deep as it likes", "[kube][object_reader]")
{
    const auto read =
        read_list({list_of("{\"metadata\":{\"name\":\"a\",\"managedFields\":" + nested(20000) + "},\"x\":1}")}
        );
    CHECK(end_of(read) == "ok");
    CHECK(read.cuts.empty());
    CHECK(json::serialize(read.items.at(0)) == R"({"metadata":{"name":"a"},"x":1})");
}

TEST_CASE("text without an end costs neither stack nor memory", "[kube][object_reader]")
{
    CHECK(end_of(read_list({std::string(1000000, '[')})) == "protocol");
    std::string deep;
    for (int i = 0; i < 100000; ++i)
        deep += "{\"a\":";
    CHECK(told(read_events({"{\"type\":\"ADDED\",\"object\":" + deep})).empty());
    // Brackets that do not match are seen where they are read.
    CHECK(
        end_of(read_list({list_of("{\"a\":" + std::string(50, '[') + std::string(50, '}') + "}")})) ==
        "protocol"
    );
}

TEST_CASE("small pieces of a large object cost no more than large ones", "[kube][object_reader]")
{
    // Work that grew with the square of the size would take minutes.
    const std::string text = list_of(object_with(4 * mebibyte));
    const auto before = std::chrono::steady_clock::now();
    CHECK(end_of(read_list(in_steps(text, 16))) == "ok");
    std::string many = event_line("ADDED", "a", "1");
    while (many.size() < mebibyte)
        many += many;
    CHECK(read_events(in_steps(many, 3)).fed.has_value());
    CHECK(read_events({many}).fed.has_value());
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(60));
}

namespace {

// Counts what is asked of it.
class counting_memory final : public json::memory_resource
{
public:
    std::size_t now = 0;
    std::size_t most = 0;
    std::size_t largest = 0;  ///< of one piece

private:
    void* do_allocate(std::size_t size, std::size_t align) override
    {
        now += size;
        most = std::max(most, now);
        largest = std::max(largest, size);
        return ::operator new(size, std::align_val_t(align));
    }
    void do_deallocate(void* piece, std::size_t size, std::size_t align) override
    {
        now -= size;
        ::operator delete(piece, std::align_val_t(align));
    }
    bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

// An object of that many bytes: many short values, or one long one.
std::string large_object(int number, std::size_t size)
{
    std::string data = number % 2 == 0 ? "\"x\":\"" + std::string(size, 'x') + "\"" : "\"x\":0";
    for (int i = 0; data.size() < size; ++i)
        data += ",\"" + std::to_string(i) + "\":{\"pattern\":\"/a\",\"price\":\"1\"}";
    return R"({"metadata":{"name":")" + std::to_string(number) + R"("},"spec":{)" + data + "}}";
}

}  // namespace

TEST_CASE("any number of large objects need the memory of one", "[kube][object_reader]")
{
    constexpr std::size_t size = 100 * 1024;
    counting_memory memory;
    int seen = 0;
    const auto count = [&](json::object&& item) {
        seen += string_at(item, "metadata.name").empty() ? 0 : 1;
        return result<void>();
    };
    list_reader list(
        [&](json::object&& item, std::string_view) { return count(std::move(item)); }, {}, &memory
    );
    event_reader events(
        [&](std::string_view, json::object&& item, std::string_view) { return count(std::move(item)); },
        {},
        &memory
    );
    REQUIRE(list.feed(R"({"metadata":{"resourceVersion":"1"},"items":[)").has_value());
    for (int i = 0; i < 500; ++i)
    {
        const std::string object = large_object(i, size);
        REQUIRE(list.feed((i == 0 ? "" : ",") + object).has_value());
        REQUIRE(events.feed(event_of(object) + "\n").has_value());
        // A large one has been given back before the next one comes.
        REQUIRE(memory.now <= size);
    }
    REQUIRE(list.feed("]}").has_value());
    CHECK(list.finish().has_value());
    CHECK(seen == 1000);
    CHECK(memory.most <= 20 * size);
    CHECK(memory.largest <= 6 * size);
}

TEST_CASE("an object is built as far as its filter says", "[kube][object_reader]")
{
    using filter = field_filter;
    const filter rule = filter::only({{"name", {}}, {"backends", filter::only({{"port", {}}})}});
    const filter spec = filter::only({{"rules", rule}, {"hosts", {}}});
    static const filter whole =
        filter::all_but({{"metadata", filter::all_but({{"labels", filter::nothing()}})}});
    auto filters = std::make_shared<object_filter>();
    filters->usual = filter::all_but({{"spec", spec}, {"status", filter::nothing()}});
    filters->choose = [](const json::object& metadata) {
        return string_at(metadata, "name") == "ours" ? &whole : nullptr;
    };
    const auto item = [](const std::string& name) {
        return R"({"kind":"K","metadata":{"name":")" + name + R"(","labels":{"a":"b"}},)" +
               R"("spec":{"rules":[{"name":"r","deep":)" + nested(5000) +
               R"(,"backends":[{"port":1,"x":2},{"port":3}]}],"hosts":["h"],"other":{"big":")" +
               std::string(9 * mebibyte, 'x') + R"("}},"status":{"s":1}})";
    };
    std::vector<std::string> read;
    std::vector<std::string> cuts;
    list_reader list(
        [&](json::object&& object, std::string_view cut) {
            read.push_back(json::serialize(object));
            cuts.emplace_back(cut);
            return result<void>();
        },
        filters
    );
    REQUIRE(list.feed(list_of(item("theirs") + "," + item("ours"))).has_value());
    REQUIRE(list.finish().has_value());
    REQUIRE(read.size() == 2);
    CHECK(
        read[0] == R"({"kind":"K","metadata":{"name":"theirs","labels":{"a":"b"}},)"
                   R"("spec":{"rules":[{"name":"r","backends":[{"port":1},{"port":3}]}],"hosts":["h"]}})"
    );
    CHECK(cuts[0].empty());
    CHECK(read[1].starts_with(R"({"kind":"K","metadata":{"name":"ours","labels":{"a":"b"}},"spec":{"rules":)")
    );
    CHECK(cuts[1] == "spec.rules has more than 128 levels");
    // What stands in an object's place is not the object.
    std::vector<std::string> said;
    event_reader events(
        [&](std::string_view type, json::object&& object, std::string_view) {
            said.push_back(std::string(type) + json::serialize(object));
            return result<void>();
        },
        filters
    );
    REQUIRE(events.feed(event_of(R"({"kind":"Status","reason":"Expired","code":410})", "ERROR")).has_value());
    CHECK(said == std::vector<std::string>{R"(ERROR{"kind":"Status","reason":"Expired","code":410})"});
}
