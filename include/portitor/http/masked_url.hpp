#pragma once

#include <string>
#include <string_view>

namespace portitor::http {

/// A URL as it may be shown: user, password, the values of the query and the fragment are "***", because
/// whoever runs a node or a facilitator hands out keys in them. What is no URL comes back as it is.
std::string masked_url(std::string_view text);

/// The same for every URL that stands in a text.
std::string masked_urls(std::string_view text);

}  // namespace portitor::http
