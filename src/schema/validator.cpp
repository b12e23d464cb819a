#include "schema/validator.hpp"

#include "schema/cel/program.hpp"
#include "schema/formats.hpp"
#include "schema/shown.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace portitor::schema {

namespace json = boost::json;

namespace {

// What a JSON number without loss holds: beyond, the API server takes no float for an integer.
constexpr double largest_exact = 9007199254740991.0;

bool is_whole(const json::value& value)
{
    if (value.is_int64())
        return true;
    const double* number = value.if_double();
    return number && std::abs(*number) <= largest_exact && std::trunc(*number) == *number;
}

bool has_type(const json::value& value, value_type type)
{
    switch (type)
    {
    case value_type::object:
        return value.is_object();
    case value_type::array:
        return value.is_array();
    case value_type::text:
        return value.is_string();
    case value_type::integer:
        return is_whole(value);
    case value_type::number:
        return value.is_number();
    case value_type::boolean:
        return value.is_bool();
    case value_type::int_or_text:
        return is_whole(value) || value.is_string();
    case value_type::any:
        return true;
    }
    return false;
}

std::string_view name_of(const json::value& value)
{
    switch (value.kind())
    {
    case json::kind::null:
        return "null";
    case json::kind::bool_:
        return "boolean";
    case json::kind::string:
        return "string";
    case json::kind::array:
        return "array";
    case json::kind::object:
        return "object";
    case json::kind::int64:
        return "integer";
    default:
        return "number";
    }
}

class validator
{
public:
    explicit validator(problem_list& into) : into_(into) {}

    void check(const json::value& value, const node& schema)
    {
        if (into_.full() || (value.is_null() && schema.nullable))
            return;
        const std::size_t before = into_.blocking();
        const std::size_t all_before = into_.size();
        check_enum(value, schema);
        if (has_type(value, schema.type))
            check_inside(value, schema);
        else
            into_.add(
                fault::wrong_type,
                path_.text(),
                fmt::format("must be of type {}, not {}", to_string(schema.type), name_of(value)),
                shown(value)
            );
        if (into_.blocking() == before)
            check_rules(value, schema, into_.size() == all_before);
    }

private:
    void add(fault what, std::string message, const json::value& value)
    {
        into_.add(what, path_.text(), std::move(message), shown(value));
    }

    void check_enum(const json::value& value, const node& schema)
    {
        const auto& allowed = schema.allowed;
        if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
            return;
        std::vector<std::string> written;
        for (const json::value& each : allowed)
            written.push_back(shown(each));
        add(fault::unsupported, fmt::format("supported values: {}", fmt::join(written, ", ")), value);
    }

    void check_inside(const json::value& value, const node& schema)
    {
        if (const json::string* text = value.if_string())
            check_text(value, {text->data(), text->size()}, schema);
        else if (value.is_number())
            check_number(value, schema);
        else if (const json::array* list = value.if_array())
            check_list(*list, schema);
        else if (const json::object* object = value.if_object())
            check_object(*object, schema);
    }

    void check_text(const json::value& value, std::string_view text, const node& schema)
    {
        const std::size_t length = code_points(text);
        if (schema.length.most && length > *schema.length.most)
            add(fault::too_long, fmt::format("may not be more than {} characters", *schema.length.most), value
            );
        if (schema.length.least && length < *schema.length.least)
            add(fault::invalid,
                fmt::format("should be at least {} characters long", *schema.length.least),
                value);
        if (schema.pattern && !re2::RE2::PartialMatch({text.data(), text.size()}, *schema.pattern))
            add(fault::invalid, fmt::format("should match '{}'", schema.pattern->pattern()), value);
        if (schema.date_time && !is_date_time(text))
            add(fault::invalid, "must be of type date-time, such as 2030-01-01T00:00:00Z", value);
    }

    void check_number(const json::value& value, const node& schema)
    {
        const double number = value.to_number<double>();
        const auto below = [](double one, double other, bool excluded) {
            return excluded ? one <= other : one < other;
        };
        if (schema.minimum && below(number, *schema.minimum, schema.excludes_minimum))
            add(fault::invalid,
                fmt::format(
                    "should be {} {}", schema.excludes_minimum ? "more than" : "at least", *schema.minimum
                ),
                value);
        if (schema.maximum && below(*schema.maximum, number, schema.excludes_maximum))
            add(fault::invalid,
                fmt::format(
                    "should be {} {}", schema.excludes_maximum ? "less than" : "at most", *schema.maximum
                ),
                value);
        using small = std::numeric_limits<std::int32_t>;
        if (schema.fits_32_bits && (number < small::min() || number > small::max()))
            add(fault::invalid, "must be an integer of 32 bits", value);
    }

    void check_list(const json::array& list, const node& schema)
    {
        const auto [least, most] = schema.items_count;
        if (most && list.size() > *most)
            add(fault::too_many, fmt::format("must have at most {} items", *most), list);
        if (least && list.size() < *least)
            add(fault::invalid, fmt::format("should have at least {} items", *least), list);
        if (!schema.items)
            return;
        check_duplicates(list, schema);
        for (std::size_t i = 0; i < list.size() && !into_.full(); ++i)
        {
            const field_path::step deeper(path_, i);
            check(list[i], *schema.items);
        }
    }

    static json::value key_of(const json::value& item, const node& schema)
    {
        const json::object* object = item.if_object();
        if (schema.list != list_type::map || !object)
            return item;
        json::object key;
        for (const std::string& each : schema.keys)
            if (const json::value* found = object->if_contains(each))
                key[each] = *found;
        return key;
    }

    void check_duplicates(const json::array& list, const node& schema)
    {
        if (schema.list == list_type::plain)
            return;
        std::map<std::string, int> seen;
        for (std::size_t i = 0; i < list.size() && !into_.full(); ++i)
        {
            const std::string key = json::serialize(key_of(list[i], schema));
            // The third one is no news.
            if (++seen[key] != 2)
                continue;
            const field_path::step deeper(path_, i);
            into_.add(fault::duplicate, path_.text(), "another item of the list has the same", plain(key));
        }
    }

    void check_object(const json::object& object, const node& schema)
    {
        const auto [least, most] = schema.properties_count;
        if (most && object.size() > *most)
            add(fault::too_many, fmt::format("must have at most {} items", *most), object);
        if (least && object.size() < *least)
            add(fault::invalid, fmt::format("should have at least {} properties", *least), object);
        for (const auto& each : object)
            if (const node* inner = schema.member(each.key()); inner && !into_.full())
            {
                const field_path::step deeper(path_, each.key());
                check(each.value(), *inner);
            }
        for (const std::string& each : schema.required)
            if (!object.contains(each))
            {
                const field_path::step deeper(path_, each);
                into_.add(fault::required, path_.text(), {});
            }
    }

    // That a rule cannot be asked is news only where the value is `sound` so far.
    void check_rules(const json::value& value, const node& schema, bool sound)
    {
        for (const rule& each : schema.rules)
        {
            if (each.program->compares_with_old())
                continue;
            const auto holds = each.program->holds(value, schema);
            if (!holds && sound)
                add(fault::invalid, holds.error().message() + ": " + each.message, value);
            else if (holds && !*holds)
                add(fault::invalid, each.message, value);
        }
    }

    problem_list& into_;
    field_path path_;
};

}  // namespace

void check_values(const json::object& object, const node& root, problem_list& into)
{
    validator(into).check(object, root);
}

}  // namespace portitor::schema
