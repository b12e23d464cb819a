#pragma once

#include "roles/registrar/request_status.hpp"

#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/kube/events.hpp>

#include <string>

namespace portitor::registrar {

/// Tells people what becomes of requests: in the log, as Events of the request and of its offer, and in
/// numbers. One strand.
class news
{
public:
    news(kube::event_recorder& events, logger log, metrics& numbers)
        : events_(events), log_(std::move(log)), numbers_(numbers)
    {}

    /// The status of a request was changed to this; nothing new where only times moved.
    void told(
        const kube::object& request,
        const kube::object_identity& offer,
        const request_status& before,
        const request_status& now
    );

    /// A transaction was given to a node, the first time or again.
    void sent(const std::string& chain, operation what, bool replaces);

    /// A request that nothing can be done for, and why.
    void ignored(const kube::object& request, const std::string& why);

private:
    kube::event_recorder& events_;
    logger log_;
    metrics& numbers_;
};

}  // namespace portitor::registrar
