#pragma once

#include "roles/controller/plan.hpp"

#include <portitor/core/http.hpp>
#include <portitor/core/task_group.hpp>

#include <functional>
#include <map>
#include <random>
#include <string>

namespace portitor::controller {

/// Asks every offer's upstream for its health, over and over: 2xx is healthy, a redirect is not followed and
/// is not healthy, bodies are not read. One strand.
class prober
{
public:
    using changed = std::function<void(const kube::object_key& offer)>;

    /// Probes run in `tasks`. `on_change` hears of each new result that differs from the one before.
    prober(http::client& client, task_group& tasks, std::chrono::milliseconds period, changed on_change);

    /// Probes `url` for this offer from now on, instead of what it probed before; the same URL changes
    /// nothing.
    void watch(const kube::object_key& offer, const std::string& url);

    /// Stops probing for this offer.
    void forget(const kube::object_key& offer) { targets_.erase(offer); }

    /// The latest result for the URL that is watched now.
    probe_result latest(const kube::object_key& offer) const;

private:
    struct target
    {
        std::string url;
        std::uint64_t serial = 0;  ///< tells a target from a later one with the same URL
        probe_result latest;
    };

    boost::asio::awaitable<void> probe_loop(kube::object_key offer, http::url where, std::uint64_t serial);
    boost::asio::awaitable<std::string> probe(http::url where);
    target* find(const kube::object_key& offer, std::uint64_t serial);
    std::chrono::milliseconds jittered(std::chrono::milliseconds period);

    http::client& client_;
    task_group& tasks_;
    std::chrono::milliseconds period_;
    changed on_change_;
    std::map<kube::object_key, target> targets_;
    std::uint64_t serial_ = 0;
    std::mt19937 random_;
};

}  // namespace portitor::controller
