#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace portitor::cli {

/// What becomes of scalars that stand without quotes.
enum class plain_scalars
{
    as_core_schema,
    as_text,  ///< as they are written: amounts of money, which are no floating-point numbers
};

/// The documents of a YAML text as JSON, with YAML 1.2's core schema for plain scalars: null, booleans,
/// integers and floats are such, everything else and everything quoted is a string. errc::invalid names the
/// line; a key that comes twice, deep nesting and aliases that would multiply without bound are refused.
result<std::vector<boost::json::value>>
parse_yaml(const std::string& text, plain_scalars how = plain_scalars::as_core_schema);

/// JSON as YAML, block style, for people to read.
std::string to_yaml(const boost::json::value& value);

}  // namespace portitor::cli
