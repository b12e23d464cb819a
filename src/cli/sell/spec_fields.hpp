#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::cli::sell {

/// The object of that name, made where there is none.
boost::json::object& child(boost::json::object& of, std::string_view name);

/// Writes what was given; an empty text was not.
void put(boost::json::object& into, std::string_view name, const std::string& given);

/// A number from 1 to `most`; errc::invalid names the flag.
result<std::int64_t> read_number(const std::string& given, std::int64_t most, const char* flag);

}  // namespace portitor::cli::sell
