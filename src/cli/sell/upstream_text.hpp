#pragma once

#include <portitor/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::cli::sell {

/// What --upstream names: a Service of the cluster.
struct upstream_place
{
    std::string service;
    std::string ns;          ///< empty where it was not written
    std::uint16_t port = 0;  ///< 0 where it was not written
};

/// Reads "service", "service.namespace", "service.namespace.svc" or "service.namespace.svc.cluster.local",
/// each with or without "http://" before and ":PORT" after it. errc::invalid for anything that is no Service,
/// such as a host outside of the cluster, and says what to do instead.
result<upstream_place> read_upstream(std::string_view text);

}  // namespace portitor::cli::sell
