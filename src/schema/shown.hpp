#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace portitor::schema {

/// Somebody's text, fit to be printed: control characters and what is no UTF-8 escaped, cut with "..." behind
/// `longest` characters.
std::string plain(std::string_view text, std::size_t longest = 64);

/// A value as JSON would write it, cut; of lists and objects only what they are.
std::string shown(const boost::json::value& value);

/// How many code points; every byte that begins none counts as one.
std::size_t code_points(std::string_view text);

}  // namespace portitor::schema
