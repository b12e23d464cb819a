#pragma once

#include "cli/sales/money.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace portitor::cli::sales {

/// Unix seconds in RFC 3339.
std::string time_text(std::uint64_t seconds);

/// "decimal", "symbol" and "decimals" of an amount; null where the token is not known.
void add_token(boost::json::object& into, const known_asset& asset, const u256& amount);

/// A row of a table as CSV: its members are the columns, null is an empty cell. The heading has their names.
std::string csv_heading(const boost::json::object& row);
std::string csv_row(const boost::json::object& row);

}  // namespace portitor::cli::sales
