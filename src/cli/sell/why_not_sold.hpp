#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/kube/object.hpp>

#include <string>

namespace portitor::cli::sell {

/// Why an offer is at no URL, as far as it says so itself, and a command that does or shows more: it was
/// stopped, something prevents it, or nobody has looked at it yet. Empty where it is Ready.
std::string why_not_sold(const kube::object& offer, clock::time_point now);

}  // namespace portitor::cli::sell
