#include "schema/validator.hpp"

namespace portitor::schema {

namespace json = boost::json;

namespace {

void set_inside(json::value& value, const node& schema);

// A null where none may be is as good as nothing where it has a default, and in an object.
bool is_missing(const json::value& value, const node& schema)
{
    return value.is_null() && !schema.nullable;
}

void set_members(json::object& object, const node& schema)
{
    for (const auto& [name, inner] : schema.properties)
    {
        const json::value* found = object.if_contains(name);
        if (inner.fallback && (!found || is_missing(*found, inner)))
            object[name] = *inner.fallback;
    }
    std::vector<std::string> empty;
    for (auto& each : object)
    {
        const node* inner = schema.member(each.key());
        if (!inner)
            continue;
        if (inner->fallback && is_missing(each.value(), *inner))
            each.value() = *inner->fallback;
        if (is_missing(each.value(), *inner))
            empty.emplace_back(each.key());
        else
            set_inside(each.value(), *inner);
    }
    for (const std::string& each : empty)
        object.erase(each);
}

void set_inside(json::value& value, const node& schema)
{
    if (json::object* object = value.if_object())
        set_members(*object, schema);
    else if (json::array* list = value.if_array(); list && schema.items)
        for (json::value& each : *list)
        {
            if (schema.items->fallback && is_missing(each, *schema.items))
                each = *schema.items->fallback;
            set_inside(each, *schema.items);
        }
}

}  // namespace

void set_defaults(json::object& object, const node& schema)
{
    set_members(object, schema);
}

}  // namespace portitor::schema
