#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::schema {

namespace cel {
class program;
}

enum class value_type
{
    object,
    array,
    text,
    integer,
    number,
    boolean,
    int_or_text,
    any,
};

/// "object", "string", ...
std::string_view to_string(value_type type);

/// What an array is: a list, a set, or a map by the keys of its items.
enum class list_type
{
    plain,
    set,
    map,
};

struct bounds
{
    std::optional<std::uint64_t> least, most;
};

/// One x-kubernetes-validations entry.
struct rule
{
    std::string message;  ///< what to say where it does not hold
    std::shared_ptr<const cel::program> program;
};

/// One level of a structural schema.
struct node
{
    value_type type = value_type::any;
    bool nullable = false;
    bool date_time = false;
    bool fits_32_bits = false;
    bool keeps_unknown = false;
    bool excludes_minimum = false, excludes_maximum = false;
    std::optional<double> minimum, maximum;
    bounds length, items_count, properties_count;
    std::shared_ptr<const re2::RE2> pattern;
    std::vector<boost::json::value> allowed;
    std::optional<boost::json::value> fallback;
    std::vector<std::string> required;
    std::map<std::string, node, std::less<>> properties;
    std::unique_ptr<node> additional, items;
    list_type list = list_type::plain;
    std::vector<std::string> keys;
    std::vector<rule> rules;

    /// The schema of a member, or null.
    const node* member(std::string_view name) const
    {
        const auto found = properties.find(name);
        return found != properties.end() ? &found->second : additional.get();
    }
};

/// Reads the schema at openAPIV3Schema; errc::invalid for whatever is not known.
result<std::unique_ptr<node>> read_schema(const boost::json::object& schema);

}  // namespace portitor::schema
