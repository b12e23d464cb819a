#pragma once

#include "schema/cel/expression.hpp"
#include "schema/cel/go_time.hpp"
#include "schema/node.hpp"

#include <boost/json/value.hpp>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace portitor::schema::cel {

class value;

/// Why an expression has no value.
struct failure
{
    std::string what;
};

struct length_of_time
{
    std::int64_t nanoseconds = 0;

    auto operator<=>(const length_of_time&) const = default;
};

/// A list, a map or an object within the object that is judged.
struct inner_list
{
    const boost::json::array* items;
    const node* of;  ///< null: not in the schema
};

struct inner_object
{
    const boost::json::object* members;
    const node* of;
};

/// What an expression comes to; lives no longer than the object.
class value : public std::variant<
                  std::nullptr_t,
                  bool,
                  std::int64_t,
                  double,
                  std::string,
                  moment,
                  length_of_time,
                  inner_list,
                  inner_object,
                  std::shared_ptr<const std::vector<value>>,
                  failure>
{
public:
    using variant::variant;

    template <typename T>
    const T* as() const
    {
        return std::get_if<T>(this);
    }

    bool failed() const { return as<failure>(); }
};

/// The value of a part of the object; `of` is its schema, or null.
value value_of(const boost::json::value& json, const node* of);

/// The value of a literal.
value value_of(const literal_value& literal);

/// How two single values compare; unordered where they are of different types.
std::partial_ordering compare(const value& left, const value& right);

}  // namespace portitor::schema::cel
