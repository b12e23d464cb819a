#pragma once

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace portitor::cli::sell {

/// Reads an offer that is there and stays. Errors are in the user's words.
boost::asio::awaitable<result<kube::object_ptr>> read_offer(kube::api& server, kube::object_key of);

/// Changes members of a live offer's spec: `edit` gets the spec and changes it, or says why it must not be.
/// Only that very offer with that very spec is changed: where somebody was faster, it is read again. Returns
/// the offer as it is then.
boost::asio::awaitable<result<kube::object_ptr>> edit_spec(
    kube::api& server, kube::object_key of, std::function<result<void>(boost::json::object& spec)> edit
);

}  // namespace portitor::cli::sell
