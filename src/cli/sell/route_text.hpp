#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <string_view>

namespace portitor::cli::sell {

/// Reads --route "path=/report,gate=paid,price=0.5" as an entry of spec.routes. Keys: path, gate (paid or
/// free), and a price of its own as one of price (the same as per-request), per-mtok and per-hour.
/// errc::invalid names the key.
result<boost::json::object> read_route(std::string_view text);

}  // namespace portitor::cli::sell
