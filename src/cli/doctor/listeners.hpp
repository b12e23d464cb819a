#pragma once

#include "cli/doctor/patient.hpp"

namespace portitor::cli::doctor {

/// Part of the area "gateway": whether the listener that the settings name is there and works, and whether
/// each namespace that sells may attach its routes to one.
boost::asio::awaitable<void> look_at_listeners(const patient& of, kube::object_ptr gateway, notebook& into);

}  // namespace portitor::cli::doctor
