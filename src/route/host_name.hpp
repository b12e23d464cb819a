#pragma once

#include <string>
#include <string_view>

namespace portitor::route {

/// The host of an authority such as a Host header, in the one spelling by which hosts are compared (RFC 3986
/// 3.2.2, RFC 9110 4.2.3): lower case, without port and without the dot at the end, an IPv6 literal in its
/// shortest form and without brackets. What is no authority comes back as something that no URL has.
std::string host_name_of(std::string_view authority);

}  // namespace portitor::route
