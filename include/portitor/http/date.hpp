#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace portitor::http {

/// Reads a date as HTTP writes it, in any of its three spellings (RFC 9110 section 5.6.7), as Unix seconds.
std::optional<std::int64_t> parse_date(const std::string& text);

}  // namespace portitor::http
