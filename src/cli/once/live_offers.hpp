#pragma once

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <map>
#include <vector>

namespace portitor::cli::once {

using live_offers = std::map<kube::object_key, kube::object_ptr>;

/// The whole ServiceOffers that one of the selections has, as they are now.
boost::asio::awaitable<kube::api_result<live_offers>>
list_offers(kube::api& server, std::vector<kube::selection> which);

}  // namespace portitor::cli::once
