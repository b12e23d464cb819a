#pragma once

#include <portitor/core/stop_signal.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace portitor::cli {

/// What stays on chain of a registration.
struct registered
{
    std::string chain;
    std::string agent_id;
    std::string transaction;
};

/// An object that Portitor's finalizer holds.
struct held
{
    kube::resource kind;
    kube::object_meta meta;
    std::optional<registered> on_chain;
};

/// "ServiceOffer shop/hello".
std::string describe(const held& each);

/// For programs.
boost::json::object to_json(const held& each, bool released);

/// All that are held, in the order in which they are to be let go. A cluster without one of the kinds holds
/// nothing of it. Fails as the API server does, and with errc::canceled on `stop`.
boost::asio::awaitable<result<std::vector<held>>> list_held(kube::api& server, const stop_signal& stop);

}  // namespace portitor::cli
