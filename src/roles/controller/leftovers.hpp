#pragma once

#include "offer/plan_settings.hpp"
#include "offer/steps.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>

namespace portitor::controller {

/// RegistrationRequests whose offer is gone, although they should have been retired first: somebody has taken
/// the offer's finalizer off. Our own finalizer would keep them, and their namespace, for ever. One strand.
class leftovers
{
public:
    /// All of it must outlive this.
    leftovers(kube::api& server, const offer::plan_settings& settings, const clock& wall)
        : server_(server), settings_(settings), wall_(wall)
    {}

    struct found
    {
        kube::object_identity offer;  ///< the one that is gone
        offer::plan todo;
    };

    /// What to do about the request with the name of an offer's (null: there is none of it); nothing where it
    /// belongs to an offer that exists, or is not ours. The stores may lack an offer that the selector leaves
    /// out, so the API server is asked.
    boost::asio::awaitable<result<std::optional<found>>>
    look_at(kube::object_ptr request, std::optional<kube::object_identity> present);

private:
    boost::asio::awaitable<result<bool>> is_there(kube::object_identity offer);

    kube::api& server_;
    const offer::plan_settings& settings_;
    const clock& wall_;
    /// By uid: when it was found that the offer is gone.
    std::map<std::string, clock::time_point> since_;
};

}  // namespace portitor::controller
