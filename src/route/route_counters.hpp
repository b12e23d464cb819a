#pragma once

#include "route/outcome.hpp"

#include <portitor/core/metrics.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace portitor::route {

/// How often a route was asked for, by outcome. Series appear with the first question and go with the route.
/// Any thread; counting takes no lock once the series is there.
class route_counters
{
public:
    /// The registry must outlive this.
    route_counters(metrics& registry, std::string route) : registry_(registry), route_(std::move(route)) {}
    ~route_counters() { delete cells_.load(std::memory_order_acquire); }
    route_counters(const route_counters&) = delete;
    route_counters& operator=(const route_counters&) = delete;

    void add(outcome what);

private:
    // Most routes of a large cluster are never asked for: they shall not pay for this.
    struct cells
    {
        std::array<std::atomic<counter*>, outcome_names.size()> of{};
        std::array<std::shared_ptr<counter>, outcome_names.size()> held;
    };

    counter& make(outcome what);

    metrics& registry_;
    const std::string route_;
    std::atomic<cells*> cells_{nullptr};
};

}  // namespace portitor::route
