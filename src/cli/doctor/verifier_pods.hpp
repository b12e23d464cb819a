#pragma once

#include "cli/doctor/patient.hpp"

namespace portitor::cli::doctor {

/// Part of the area "gateway": whether the verifier's Service has pods that are ready, and whether each of
/// them answers. They are asked by way of the API server's proxy, which takes the right to get pods/proxy;
/// one that is silent is waited for no longer than the patient's limit, and named.
boost::asio::awaitable<void> look_at_verifier(const patient& of, notebook& into);

}  // namespace portitor::cli::doctor
