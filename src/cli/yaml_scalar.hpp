#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>

namespace portitor::cli {

/// What kubectl makes of a scalar without quotes (sigs.k8s.io/yaml: YAML 1.1 without base 60, then JSON):
/// "yes" is true, 017 is 15, 1e3 is 1000; times are text, and so are numbers that no double can hold. Nothing
/// for infinity and "not a number", which JSON does not have.
std::optional<boost::json::value> plain_value(const std::string& text);

}  // namespace portitor::cli
