#pragma once

#include <string_view>

namespace portitor::schema {

/// Whether the API server takes it for the format date-time. It takes more than RFC 3339 has, and less.
bool is_date_time(std::string_view text);

/// Names as RFC 1123 has them: lower-case letters, digits and dashes, 63 at most.
bool is_label_name(std::string_view text);

/// Several of those with dots between, 253 in all.
bool is_subdomain(std::string_view text);

/// The key of a label: a name of at most 63 characters, with or without a subdomain and "/" before.
bool is_qualified_name(std::string_view text);

/// The value of a label: as the name of a key, or empty.
bool is_label_value(std::string_view text);

}  // namespace portitor::schema
