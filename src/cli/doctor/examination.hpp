#pragma once

#include "cli/doctor/patient.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <vector>

namespace portitor::cli::doctor {

/// Looks at several areas side by side. One that has not ended within `limit`, or that throws, is a failure
/// of its own after all that it has found, and holds up no other. The findings are in the order of the areas.
/// What it is given outlives it.
boost::asio::awaitable<std::vector<finding>>
examine(const patient& of, std::vector<area> which, std::chrono::milliseconds limit);

}  // namespace portitor::cli::doctor
