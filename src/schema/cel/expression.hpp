#pragma once

#include "schema/cel/go_time.hpp"

#include <portitor/core/error.hpp>

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace portitor::schema::cel {

enum class operation
{
    literal,
    variable,
    list,
    member,  // children[0].name
    has,     // has(children[0].name)
    index,   // children[0][children[1]]
    logical_not,
    negative,
    logical_and,
    logical_or,
    conditional,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    add,
    subtract,
    multiply,
    divide,
    remainder,
    size,
    contains,
    starts_with,
    ends_with,
    matches,
    timestamp,
    duration,
    all,  // children[0].all(name, children[1])
    exists,
    exists_one,
};

using literal_value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string>;

/// A rule as a tree.
struct expression
{
    operation what = operation::literal;
    std::string name = {};  ///< of a variable or a member, as it is in the object
    literal_value literal = nullptr;
    std::vector<expression> children = {};
    std::shared_ptr<const re2::RE2> pattern = {};  ///< of `matches`
};

/// Reads a rule. errc::invalid where it is no CEL, and for all of CEL that is not known here, with its name.
result<expression> parse(std::string_view rule);

}  // namespace portitor::schema::cel
