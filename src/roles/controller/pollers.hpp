#pragma once

#include "roles/controller/facilitator_probe.hpp"
#include "roles/controller/gate_probe.hpp"
#include "roles/controller/model_probe.hpp"
#include "roles/controller/upstream_probe.hpp"

#include <portitor/core/metrics.hpp>

namespace portitor::controller {

/// All that is asked again and again about offers: their upstreams, runtimes, gates and facilitators. However
/// slow the upstreams of one namespace are, those of the others are asked in time. One strand.
class pollers
{
public:
    /// Hears of each offer for which there is a new answer.
    using listener = std::function<void(const kube::object_key& offer)>;

    /// They run in `tasks`, until these are cancelled; must be there until they are joined. The client and
    /// the networks and the numbers must outlive it.
    pollers(
        task_group& tasks,
        timekeeper& time,
        http::client& client,
        const x402::network_table& networks,
        metrics& numbers,
        std::chrono::milliseconds probe_period,
        preference find_other,
        listener look_again
    );

    /// Asks this about the offer from now on, and nothing else. Nothing is asked about one that is gone.
    void ask(const kube::object_key& offer, const offer::questions& wanted);

    /// Puts the latest answers about the offer into what is known of it.
    void recall(offer::observation& into) const;

private:
    upstream_poller upstreams_;
    model_poller models_;
    gate_poller gates_;
    facilitator_poller facilitators_;
};

}  // namespace portitor::controller
