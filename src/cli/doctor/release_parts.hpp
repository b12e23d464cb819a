#pragma once

#include "cli/doctor/patient.hpp"

#include <map>
#include <string>
#include <vector>

namespace portitor::cli::doctor {

/// The Deployments of the release, by the chart's labels.
boost::asio::awaitable<kube::api_result<std::vector<kube::object_ptr>>>
deployments_of_release(const patient& of);

/// The ServiceAccount of each role, as far as its Deployment can be read.
boost::asio::awaitable<std::map<std::string, std::string>> accounts_of_release(const patient& of);

/// The role of an object of the chart; empty where it says none.
std::string role_of(const kube::object& part);

}  // namespace portitor::cli::doctor
