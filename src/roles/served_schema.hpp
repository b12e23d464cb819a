#pragma once

#include <portitor/api/served_schema.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>

namespace portitor::roles {

/// How often a role looks whether the CRDs are others than before.
inline constexpr std::chrono::seconds schema_period(30);

/// Asks the API server which schemas it serves; nothing where that cannot be told just now.
boost::asio::awaitable<std::optional<api::served_schema>> ask_served_schema(kube::api& server);

}  // namespace portitor::roles
