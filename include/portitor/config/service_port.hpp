#pragma once

#include <portitor/kube/object.hpp>

#include <cstdint>

namespace portitor::config {

/// A Service and one of its ports.
struct service_port
{
    kube::object_key service;  ///< empty name: none
    std::uint16_t port = 8080;
};

}  // namespace portitor::config
