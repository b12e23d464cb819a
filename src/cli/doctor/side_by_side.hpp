#pragma once

#include "cli/doctor/patient.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <vector>

namespace portitor::cli::doctor {

/// One of several like things that an area looks at.
using part = std::function<boost::asio::awaitable<void>(notebook&)>;

/// Looks at all parts at once, so that one that is slow holds up no other. What they find is in the order of
/// the parts, also where the caller is canceled. An exception of one is the caller's, once all have ended.
boost::asio::awaitable<void> side_by_side(notebook& into, std::vector<part> parts);

}  // namespace portitor::cli::doctor
