#pragma once

#include <portitor/api/served_schema.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>

namespace portitor::roles {

/// Asks the API server which schemas it serves; nothing where that cannot be told just now.
boost::asio::awaitable<std::optional<api::served_schema>> ask_served_schema(kube::api& server);

/// Asks once, into `known`. @returns whether the schemas are others than before
boost::asio::awaitable<bool> look_at_served_schema(kube::api& server, api::served_schema& known);

/// Looks again every half minute until it is canceled; `changed` hears of each change, once it is known. On
/// the strand of `known`; all must outlive it.
boost::asio::awaitable<void> follow_served_schema(
    kube::api& server, timekeeper& time, api::served_schema& known, std::function<void()> changed
);

}  // namespace portitor::roles
