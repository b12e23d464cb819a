#pragma once

#include "offer/plan.hpp"
#include "roles/controller/offer_metrics.hpp"

#include <portitor/core/log.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/events.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <utility>
#include <vector>

namespace portitor::controller {

/// Carries out plans through the API server. Each step is safe to repeat and safe under a stale view: applies
/// name their owner's uid, deletions and finalizers are guarded by uid and version. One strand.
class executor
{
public:
    /// All of them must outlive this.
    executor(kube::api& server, kube::event_recorder& events, offer_metrics& numbers, logger log)
        : server_(server), events_(events), numbers_(numbers), log_(std::move(log))
    {}

    /// What carry_out() did, as far as the next look depends on it.
    struct report
    {
        std::string
            offer_version;  ///< resourceVersion after the last write to the offer; empty where there was none
        std::vector<std::pair<std::string, std::string>>
            applies;                       ///< plural and failure; empty text for a success
        std::vector<std::string> repairs;  ///< plurals of the children that were put right or made again
    };

    /// Does what the plan says and fills `done` on the way. An error is the first step that failed;
    /// independent steps ran all the same.
    boost::asio::awaitable<result<void>> carry_out(kube::object_ptr offer, offer::plan todo, report& done);

    /// Removes the fields that somebody added, then applies. Success in a namespace that is going.
    boost::asio::awaitable<result<void>> apply_child(offer::apply todo);

private:
    boost::asio::awaitable<result<void>> add_finalizer(const kube::object& offer, report& done);
    boost::asio::awaitable<result<void>> remove_finalizer(kube::resource kind, kube::object_meta seen);
    boost::asio::awaitable<result<void>> release(offer::release_finalizer todo);
    void tell(const kube::object& offer, const offer::note& what);
    boost::asio::awaitable<result<void>> remove_child(offer::remove todo);
    boost::asio::awaitable<result<void>>
    write_status(const kube::object& offer, boost::json::object status, report& done);

    kube::api& server_;
    kube::event_recorder& events_;
    offer_metrics& numbers_;
    logger log_;
};

}  // namespace portitor::controller
