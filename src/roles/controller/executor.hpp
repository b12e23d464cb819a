#pragma once

#include "offer/offer_record.hpp"
#include "offer/steps.hpp"
#include "roles/controller/offer_metrics.hpp"

#include <portitor/core/log.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/events.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
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

    /// What became of an apply.
    struct applied
    {
        offer::child_kind kind;
        std::string failure;    ///< empty for a success
        bool repaired = false;  ///< it was to put the child right, or to make it again
        /// Of the child that it made; nothing after a failure.
        std::optional<std::int64_t> generation = {};
    };

    /// What carry_out() did, as far as the next look depends on it.
    struct report
    {
        std::string offer_version;  ///< after the last write to the offer; empty where there was none
        std::vector<applied> applies;
        /// The first step that failed, as later ones often follow from it; independent steps ran all the
        /// same.
        std::optional<error> failure;
    };

    boost::asio::awaitable<report> carry_out(offer::record_ptr offer, offer::plan todo);

    /// Removes the fields that somebody added, then applies. Success in a namespace that is going.
    /// @returns the generation that the object has then; 0 where there is none
    boost::asio::awaitable<result<std::int64_t>> apply_object(kube::resource kind, offer::change todo);

    /// Deletes the object with that UID; success where it is gone.
    boost::asio::awaitable<result<void>>
    remove_object(kube::resource kind, kube::object_key key, std::string uid);

private:
    boost::asio::awaitable<result<void>> add_finalizer(kube::object_meta offer, report& done);
    boost::asio::awaitable<result<void>> remove_finalizer(kube::resource kind, kube::object_meta seen);
    boost::asio::awaitable<result<void>> release(offer::release_finalizer todo);
    boost::asio::awaitable<result<void>>
    write_status(kube::object_meta offer, boost::json::object status, report& done);
    void tell(const kube::object_meta& offer, const offer::note& what);

    kube::api& server_;
    kube::event_recorder& events_;
    offer_metrics& numbers_;
    logger log_;
};

}  // namespace portitor::controller
