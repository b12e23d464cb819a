#pragma once

#include "cli/sell/findings.hpp"

#include <portitor/api/service_offer.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

namespace portitor::cli::sell {

/// Whether the Service is there, has the port, and answers its health path by way of the API server, each as
/// far as rights allow.
boost::asio::awaitable<void>
check_upstream(kube::api& server, api::service_offer::upstream_spec upstream, findings& into);

}  // namespace portitor::cli::sell
