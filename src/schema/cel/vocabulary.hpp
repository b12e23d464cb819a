#pragma once

#include "schema/cel/expression.hpp"
#include "schema/cel/token.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::schema::cel {

struct binary_operator
{
    std::string_view symbol;
    operation what;
};

constexpr std::size_t operator_levels = 5;

/// The operators of one strength; level 0 is the weakest.
const std::vector<binary_operator>& operators_of(std::size_t level);

struct known_function
{
    operation what;
    std::size_t children;  ///< its arguments, and what it is called on
};

/// size(x)
std::optional<known_function> find_function(std::string_view name);

/// x.size()
std::optional<known_function> find_method(std::string_view name);

/// x.all(name, condition)
std::optional<operation> find_macro(std::string_view name);

/// What a text or a number says; nothing for another token, or a number that does not fit.
std::optional<literal_value> literal_of(const token& given);

/// The name of a property that is written so in a rule: "__namespace__" is namespace, "a__dash__b" a-b.
std::string unescaped(std::string_view name);

}  // namespace portitor::schema::cel
