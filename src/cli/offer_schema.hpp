#pragma once

#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli {

/// Why the API server would refuse the offer, each with its field; empty where it would not.
std::vector<std::string> problems_of(const boost::json::object& offer);

/// Sets what the API server would set where nothing is written.
void fill_defaults(boost::json::object& offer);

/// Whether an offer says what the live one says.
bool same_spec(const kube::object& live, const boost::json::object& offer);

}  // namespace portitor::cli
