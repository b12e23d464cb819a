#pragma once

#include <portitor/api/registration_request.hpp>

#include <optional>

namespace portitor::registrar {

/// Where a request ends, and why; the words go into its status.
struct verdict
{
    api::registration_phase phase = api::registration_phase::none;
    std::string reason;   ///< of the condition Registered, CamelCase
    std::string message;  ///< what it means and what to do
};

/// What is to be said of a request for which no chain can be reached: there is nothing to send, and nothing
/// to take back. Empty where the status says so already.
std::optional<verdict> judge_without_chain(
    const api::registration_request& request, const api::registration_state& now, const kube::object& live
);

/// The status that says it.
boost::json::object status_of(const kube::object& live, const verdict& said, clock::time_point now);

}  // namespace portitor::registrar
