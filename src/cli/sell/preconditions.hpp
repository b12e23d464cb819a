#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "cli/sell/findings.hpp"
#include "roles/process.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

namespace portitor::cli::sell {

/// What the API server would refuse of a manifest by the schema that is compiled in, all of it at once.
findings check_schema(const boost::json::object& wanted);

/// What can be said of an offer where no cluster can be asked: its fields by the schema; its labels, price,
/// terms, host and path by the operator's settings.
findings
check_alone(const boost::json::object& wanted, const operator_settings& settings, clock::time_point now);

/// What an offer would come to if it were written: judged as the controller judges it, among all the offers
/// of the cluster. `wanted` is the whole object as the API server would keep it, or what there is of it where
/// that is not known; `is_new`: no offer has its name yet. Nothing is written.
boost::asio::awaitable<findings> check_offer(
    roles::process around,
    kube::api& server,
    const operator_settings& settings,
    boost::json::object wanted,
    bool is_new
);

}  // namespace portitor::cli::sell
