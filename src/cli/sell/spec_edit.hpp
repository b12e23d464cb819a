#pragma once

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace portitor::cli::sell {

/// Reads an offer that is there and stays. Errors are in the user's words.
boost::asio::awaitable<result<kube::object_ptr>> read_offer(kube::api& server, kube::object_key of);

/// Changes the spec of `offer`, which it has at first, or says why it must not be changed.
using spec_editor = std::function<result<void>(const kube::object& offer, boost::json::object& spec)>;

/// Changes members of a live offer's spec. Only that very offer with that very spec is changed: where
/// somebody was faster, it is read again, and `edit` called again. Returns the offer as it is then.
boost::asio::awaitable<result<kube::object_ptr>>
edit_spec(kube::api& server, kube::object_key of, spec_editor edit);

}  // namespace portitor::cli::sell
