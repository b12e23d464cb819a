#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace portitor::cli::sell {

/// What is different between two specs, a line a field: `spec.payment.network: "base" -> "base-sepolia"`.
/// Lists are compared as a whole. Printable.
std::vector<std::string> spec_changes(
    const boost::json::value& before, const boost::json::value& after, const std::string& field = "spec"
);

}  // namespace portitor::cli::sell
