#include "cases.hpp"
#include "kube/yaml_fields.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <boost/json/serialize.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <catch.hpp>
#include <set>

using namespace portitor;
namespace json = boost::json;

namespace portitor::test {

namespace {

json::value numbered(const json::value& value, std::size_t position)
{
    if (value.is_string())
    {
        std::string text(value.get_string());
        if (const auto at = text.find('%'); at != text.npos)
            text.replace(at, 1, std::to_string(position));
        return json::value(text);
    }
    json::object out;
    for (const auto& each : value.as_object())
        out[each.key()] = numbered(each.value(), position);
    return out;
}

json::value nested(std::int64_t levels)
{
    json::object out;
    if (levels > 0)
        out["a"] = nested(levels - 1);
    return out;
}

// What stands for something long, written out; null for anything else.
json::value abbreviated(const json::object& value)
{
    if (const auto* repeat = value.if_contains("$repeat"))
    {
        std::string out;
        for (std::int64_t i = repeat->at(1).as_int64(); i > 0; --i)
            out += std::string_view(repeat->at(0).as_string());
        return json::value(out);
    }
    if (const auto* each = value.if_contains("$each"))
    {
        json::array out;
        for (std::size_t i = 0; i < each->at(1).to_number<std::size_t>(); ++i)
            out.push_back(numbered(each->at(0), i));
        return out;
    }
    const auto* nest = value.if_contains("$nest");
    return nest ? nested(nest->as_int64()) : json::value();
}

json::value expanded(const json::value& value)
{
    if (const auto* list = value.if_array())
    {
        json::array out;
        for (const json::value& each : *list)
            out.push_back(expanded(each));
        return out;
    }
    const auto* object = value.if_object();
    if (!object)
        return value;
    if (json::value full = abbreviated(*object); !full.is_null())
        return full;
    json::object out;
    for (const auto& each : *object)
        out[each.key()] = expanded(each.value());
    return out;
}

// The object that holds the last name of a path, and that name.
std::pair<json::object*, std::string> parent(json::object& object, std::string path)
{
    json::object* at = &object;
    for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.'))
    {
        json::value& inner = (*at)[path.substr(0, dot)];
        at = inner.is_object() ? &inner.get_object() : &inner.emplace_object();
        path.erase(0, dot + 1);
    }
    return {at, path};
}

}  // namespace

json::value read_cases(const std::string& file)
{
    return kube::to_json(YAML::LoadFile("test/unit/schema/cases/" + file));
}

json::object object_of(const json::object& one)
{
    static const json::value objects = read_cases("objects.yaml");
    const auto* kind = one.if_contains("kind");
    json::object out = objects.at(kind ? std::string_view(kind->as_string()) : "ServiceOffer").as_object();
    if (const auto* unset = one.if_contains("unset"))
        for (const json::value& each : unset->as_array())
        {
            const auto [at, last] = parent(out, std::string(each.as_string()));
            at->erase(last);
        }
    if (const auto* set = one.if_contains("set"))
        for (const auto& each : set->as_object())
        {
            const auto [at, last] = parent(out, std::string(each.key()));
            (*at)[last] = expanded(each.value());
        }
    return out;
}

}  // namespace portitor::test

namespace {

std::vector<schema::problem> problems_of(const json::object& object)
{
    return schema::crd_schema::load(object.at("kind").as_string()).validate(object);
}

std::string all_of(const std::vector<schema::problem>& problems)
{
    std::string out;
    for (const auto& each : problems)
        out += each.text() + '\n';
    return out;
}

}  // namespace

TEST_CASE("what the API server takes has no problem", "[schema][cases]")
{
    const json::value cases = test::read_cases("taken.yaml");
    for (const json::value& each : cases.as_array())
    {
        INFO(json::serialize(each));
        CHECK(all_of(problems_of(test::object_of(each.as_object()))).empty());
    }
}

TEST_CASE("what the API server refuses has problems with the fields that it names", "[schema][cases]")
{
    const json::value cases = test::read_cases("refused.yaml");
    for (const json::value& each : cases.as_array())
    {
        const auto problems = problems_of(test::object_of(each.as_object()));
        std::set<std::string> wanted, named;
        for (const json::value& field : each.at("refused").as_array())
            wanted.emplace(field.as_string());
        for (const auto& problem : problems)
            named.insert(problem.field);
        INFO(json::serialize(each) << '\n' << all_of(problems));
        CHECK(named == wanted);
        // Whatever was in the object, what is said of it can be printed.
        for (const auto& problem : problems)
        {
            const std::string text = problem.text();
            CHECK(text.size() < 1000);
            CHECK(std::none_of(text.begin(), text.end(), [](unsigned char c) {
                return c < 0x20 || c == 0x7f;
            }));
        }
    }
}
